"""What English callers say when they want something other than an answer.

Every pattern is written for ``words.normalise``: lower case, no punctuation, no apostrophes
("don't" is "dont"), single spaces.
"""

from __future__ import annotations

import re

from asterisk_agent.brain.language import IntentRules
from asterisk_agent.events import Action


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))


_ASK = (
    r"(?:can|could|may|might|would) (?:i|we|you)(?: \w+){0,3}?"
    r"|(?:i|we)(?: just| really| only| would| do| still| actually)* (?:want|wanna|need|like"
    r"|prefer|wish)"
    r"|id (?:\w+ )?(?:like|love|prefer|rather)|(?:id|i would) rather|ill|i will|lemme|let me|let us"
    r"|how (?:do|can|could|would|will|should) (?:i|we)|who (?:do|can|could|should) (?:i|we)"
    r"|please|just|i must|i have to|ive got to|im trying|trying|i am trying|want|wanna|need|like"
    r"|anyone|anybody|someone|somebody|person|human|is it possible|possible|way|number"
)
_TALK = r"(?:speak|talk|chat|speaking|talking)"
_WHO = (
    r"person|persons|people|human|humans|human being|someone|somebody|anyone|anybody|operator"
    r"|representative|rep"
    r"|receptionist|colleague|co worker|advisor|adviser|staff|staff member|employee|manager|boss"
    r"|supervisor"
    r"|assistant manager|live agent|real agent|human agent|agent|specialist|expert|owner"
    r"|secretary|clerk"
    r"|customer service|customer support|customer care|support|reception|front desk|the office"
    r"|switchboard"
)
_KIND = (
    r"(?:a |an |the |your |some |another |any |one of your )?(?:(?:real|live|actual|living|human"
    r"|proper|different|other|nice|competent|normal|warm|responsible) )*"
)
_MACHINE = (
    r"(?:machine|robot|bot|chatbot|computer|computers|machines|robots|recording|automated"
    r"|automaton|ai"
    r"|answering machine|voice assistant|virtual|artificial)"
)
_NOT_MINE = (
    r"(?!you\b|yourself\b|my (?!account manager|adviser|advisor|consultant|contact)|him\b|her\b"
    r"|them\b|this\b|it\b|that\b|god\b)"
)

_PERSON = _any(
    rf"(?:{_ASK})(?: \w+){{0,2}}? {_TALK} (?:to|with) {_NOT_MINE}\w+",
    rf"^(?:\w+ ){{0,3}}?{_TALK} (?:to|with) {_NOT_MINE}(?:{_KIND})\w+",
    r"(?:put|pass|connect|transfer|patch|forward|switch|hand) (?:me|us|the call|my call)(?: \w+)?"
    r" (?:to|with|through|over|on|onto)\b(?! (?:hold|the list))",
    r"(?:put|patch|connect) (?:me|us) (?:through|up)|connect me\b|trans(?:fer| for) me\b"
    r"|transfer (?:this|the|my) call",
    rf"(?:get|give|find|send|bring|fetch|pass) me (?:to )?(?:{_KIND})(?:{_WHO})\b",
    rf"(?:{_ASK}) (?:\w+ )??(?:get|have|reach|see|find|contact) (?:hold of"
    rf" )?(?:{_KIND})(?:{_WHO})\b"
    r"(?! (?:to|who|that) (?:come|fix|look|repair|do|install|check|clean|take|visit)| (?:out"
    r"|over|here|round)\b)",
    # "I won a person" is how recognisers write "I want a person".
    rf"(?:want|i won|need|like|prefer|wanna|rather have) (?:to )?(?:{_KIND})(?:human|humans|human"
    rf" being|operator"
    rf"|representative|receptionist|real person|person|live person|manager|supervisor)\b"
    r"(?! (?:to|who|that) (?:come|fix|look|repair|do|install|check|clean|take|visit))",
    rf"(?:no|not|without|hate|against|stop|instead of|rather than|tired of|sick of)(?:"
    rf" \w+){{0,4}}? (?:a |the |your |this |that |these |those )?{_MACHINE}\b",
    rf"dont (?:want|like|wanna|need|talk)(?: \w+){{0,5}}? (?:{_MACHINE}|bots)\b",
    rf"^(?:(?:a|an|the|your|real|live|human|hello|hi|hey|yes|no|um|uh|just|oh|please|agent|get"
    rf"|give|me|to) )*"
    rf"(?:{_WHO})(?: (?:please|now|thanks|thank you|person|being|right now|at once|immediately))*$",
    rf"is (?:there|anyone|anybody|someone|somebody) (?:{_KIND})?(?:{_WHO})?(?: \w+){{0,4}}? (?:i"
    rf"|we) (?:can|could|may) {_TALK}",
    rf"(?:any|some)(?:one|body)(?: there| here| else| available| around| in)* (?:(?:who|that)"
    rf" )?(?:(?:can|could|to|i can|i could|is able to) )+(?:{_TALK}|help me in person)",
    rf"is there (?:{_KIND})(?:human|human being|real person|live person|person|operator)\b",
    r"^(?:(?:a|an|the|real|live|human|hello|hi|hey|yes|no|um|uh|just|oh|please) )*"
    r"(?:human|human being|person|operator|representative|agent) please\b",
    r"is (?:anyone|anybody|somebody|someone) (?:really |actually )?(?:there|here)$",
    r"(?:can|could|would|will|have|get|please|want|need|ask|that) (?:\w+ )?(?:someone|somebody"
    r"|anyone|anybody|a person|a human|a colleague|the boss|your manager|the manager|you)(?:"
    r" \w+)?"
    r"(?: to)? (?:please )?(?:call|ring|phone) (?:me|us)(?: back)?",
    rf"\b(?:word|complain|complaint)(?: \w+){{0,2}}? (?:with|to) (?:{_KIND})(?:{_WHO})\b",
    rf"\b(?:transferred|connected|put through|passed on) to {_NOT_MINE}\w+",
    rf"\b(?:can|could|may|let) (?:{_KIND})(?:person|human|human being|colleague) (?:please"
    rf" )?help me\b",
    r"\b(?:call me back|ring me back|phone me back|call back please|i want a call back|a"
    r" callback please)",
    rf"(?:who|which (?:department|person)) (?:do|can|should|could|would) (?:i|we) (?:{_TALK}"
    rf" (?:to|with)|ask for|call|contact)(?! {_MACHINE})",
)
_NOT_PERSON = _any(
    rf"(?:dont|do not|didnt|no need to|not) (?:want|need|have|like)?(?: to)? ?{_TALK} (?:to"
    rf"|with) (?:a |an |the |any )?(?:real |live )?(?:person|human|someone|somebody|anyone"
    r"|anybody|people|manager)",
    rf"(?:do|must|should) (?:i|we) (?:need|have)(?: to)? {_TALK}",
    r"(?:dont|do not) (?:put|connect|transfer|pass) me",
    rf"(?:was|were|been|had been|already) {_TALK} (?:to|with)(?!.*\b(?:again|want|like|can i"
    rf"|need)\b)",
)

_SOON_MESSAGE = r"(?:(?:a|an|the|my|you|him|her|them|another|some|short|quick|voice|one)\b ?)*+"
_VOICEMAIL = _any(
    rf"(?:leave|record|take|give|send|drop) (?:{_SOON_MESSAGE})?(?:message|voice message"
    rf"|voicemail|voice mail|word)\b",
    r"\bvoice ?mail\b|\banswering machine\b|\bmail ?box\b",
    r"(?:take|write) (?:a |down a |my )message",
)
_NOT_VOICEMAIL = _any(
    r"(?:left|have left|had left|got|get|getting|received|hear|heard|listen|listened|check"
    r"|checked|respond|reply)(?: \w+){0,3}? (?:message|messages|voicemail|voice mail)",
    r"(?:no|not|dont|do not|rather than|instead of|hate|without)(?: \w+){0,4}? (?:message"
    r"|voicemail|voice mail|answering machine|mailbox|mail box)",
    r"(?:install|repair|fix|sell|replace|broken|new) (?:\w+ )?(?:mailbox|mail box|answering"
    r" machine)",
)

_REPEAT = _any(
    r"(?:say|tell me|read|give me|run|play|go over|explain)(?: \w+){0,3}? (?:again|once more|one"
    r" more time)\b",
    r"save (?:that|it|this) (?:again|once more)\b",  # as recognisers hear "say that again"
    r"(?:can|could|would|will) you (?:\w+ ){0,2}?(?:repeat|say (?:that|it) (?:again|slower"
    r"|slowly|more slowly))",
    r"^(?:\w+ ){0,3}?(?:repeat)(?: (?:that|it|please|again|yourself|the \w+))*$",
    r"^(?:(?:sorry|i|um|uh|no|hello|hi|oh|please|and|excuse|me|yes) )*(?:what|pardon|pardon me"
    r"|sorry|excuse me|huh|come again|say again|again|again please|once more|once again|one more"
    r" time|what was that|what did you say|what did you just say|what is that|beg your pardon|i"
    r" beg your pardon|slower|more slowly|slow down|slower please)(?: (?:please|again|sorry|now"
    r"|what))*$",
    r"(?:didnt|couldnt|cant|dont|did not|could not|do not|cannot) (?:quite |really |even"
    r" )*(?:catch|hear|get|understand|follow)(?: (?:that|it|you|what you said|what you were"
    r" saying|what you just said|the last (?:part|bit)|a word|anything|all of that))+(?: \w+)?$",
    r"^(?:\w+ ){0,2}?what did you (?:just )?say\b",
    r"what was (?:that|it) again",
)

_WAIT = _any(
    r"^(?:(?:no|oh|ok|okay|um|uh|please|sorry|hey|yes|and|just|can|could|would|you|now|but|well) )*"
    r"(?:stop|wait|hold on|hang on|hold it|be quiet|shut up|quiet|enough|thats enough|stop it"
    r"|stop talking|one moment|one second|just a (?:moment|second|minute|sec)|a moment|a second"
    r"|give me a (?:moment|second|minute|sec)|wait a (?:moment|second|minute|sec)|let me (?:speak"
    r"|talk|finish)|hold the line)"
    r"(?: (?:please|stop|wait|hold on|no|now|a|moment|second|minute|sec|there|for|it|sorry|just|one"
    r"|thanks|thank you))*$",
)

_GOODBYE = _any(
    r"\b(?:good ?bye|bye bye|bye|see you|see ya|farewell|so long|cheerio|talk to you later|talk"
    r" soon|take care)\b",
    r"\b(?:thats|that is|that was|that will be|thatll be)(?: really| about| pretty much)? (?:all"
    r"|it|everything)\b(?! (?:about|for the|you))",
    r"\bnothing (?:else|more|further)\b|\bno (?:more|further|other) questions\b|\bnot today\b",
    r"\b(?:have a|you have a|have an) (?:\w+ )?(?:day|evening|one|weekend|afternoon|night|time)\b",
    r"\b(?:im|i am|we are|were) (?:all )?(?:done|good|set|finished)\b|\bhang up\b",
    r"^no (?:thank you|thanks|thats fine|im fine|its fine|im good)\b",
    r"\bgood ?night\b",
)
_THANKS = _any(
    r"\b(?:thank you|thanks|thank|many thanks|cheers|much appreciated|appreciate it|ta)\b",
    r"\b(?:great|perfect|wonderful|excellent|brilliant|lovely|super|awesome|cool|nice|good|fine"
    r"|alright|all right|ok|okay|right|got it|i see|i understand|understood|very helpful|thats"
    r" helpful|good to know)\b",
)
_GREETING = _any(
    r"\b(?:hello|hi|hey|hiya|howdy|good morning|good afternoon|good evening|good day|greetings"
    r"|morning|evening)\b",
    r"\b(?:are you (?:there|still there|listening)|can you hear me|do you hear me|is this"
    r" working|testing|test)\b",
    r"\b(?:this is|my name is|its|im) \w+(?: \w+)?(?: speaking| calling| here)\b",
    r"\b(?:i have|ive|ive got|i got|i had) (?:a|one|another|some|two) (?:quick |little |few "
    r"|small |more )*questions?\b",
    r"\b(?:can|could|may) i ask you (?:something|a question)\b",
)
_IDENTITY = _any(
    r"\b(?:are|is) (?:you|this|that) (?:a |an |the |really |actually |even )*(?:real|human|robot"
    r"|bot|machine|computer|person|ai|recording|recorded|automated|real person|artificial|tape"
    r"|program)",
    r"\b(?:am i (?:talking|speaking) (?:to|with) )(?:a |an )?(?:real |live )?(?:human|robot|bot"
    r"|machine|computer|person|ai|recording)",
    r"\b(?:who|what) are you\b(?! (?:doing|open|going|charging|closed|offering|selling|asking))",
    r"\bwho am i (?:speaking|talking) (?:to|with)\b|\bwho is (?:this|there|speaking|that)\b"
    r"|\bwhos (?:this|there|speaking)\b",
    r"\bwhats your name\b|\bwhat is your name\b|\bdo you have a name\b",
)
_ABILITY = _any(
    r"^(?:\w+ ){0,3}?what (?:can|could) (?:you (?:do|help)|i (?:ask|say))(?: \w+){0,4}$",
    r"^(?:\w+ ){0,2}?(?:can|could|will) you help(?: me)?(?: please)?$",
    r"^(?:\w+ ){0,3}?(?:i )?need (?:some |your )?help(?: please)?$|^help(?: me)?(?: please)?$",
    r"^(?:\w+ ){0,2}?how does this work$",
)
_WELLBEING = _any(
    r"\bhow are you\b|\bhow are you doing\b|\bhows it going\b|\bhow do you do\b|\bwhats up\b"
)

_YES = re.compile(
    r"^(?:(?:yes|yeah|yep|yup|sure|correct|right|please|of course|exactly|please do|okay|ok|uh|um"
    r"|oh|go ahead|thats right|i do|mhm)\b ?)++$"
)
_NO = re.compile(
    r"^(?=.*\b(?:no|nope|nah|nothing|not really|im good|im fine)\b)"
    r"(?:(?:not really|nope|nah|no|thank you|thanks|nothing|im good|im fine|uh|um|well|oh)\b ?)++$"
)

_NEAR_WATER = (
    r"(?:fuse ?box|fuses"
    r"|electric\w*(?! (?:water )?(?:heater|boiler|shower|kettle|company|bill|work))"
    r"|sockets?|outlets?|breakers?|light fixtures?|lamps?|ceiling lights?|wiring|wires|power strip)"
)
_EMERGENCY = _any(
    r"\bsmell\w*(?: \w+){0,3}? gas\b|\bgas (?:smell|leak|leaking|is leaking|is coming out"
    r"|escaping|odou?r)"
    r"|\bgas (?:\w+ )?(?:smells|is smelling)\b|\bsmells (?:of|like) (?:\w+ )?gas\b|\bleak\w*"
    r" gas\b|\bgas (?:pipe|line)(?: \w+){0,3}? (?:broke|broken|burst|cracked|leaking|damaged)"
    r"|\b(?:its|it is|theres|there is) \w+ of gas in (?:here|the|my|our)\b",  # "it's milled of …"
    r"\b(?:there is|theres|there was|we have|i have|have|its a|it is a) (?:a |an )?(?:\w+"
    r" )?fire(?! ?(?:place|extinguisher|alarm (?:that|which|installed)|door|sprinkler|pit|wood"
    r"|department|insurance|safety|hydrant|exit|escape|inspection|rated))\b",
    r"\bfire (?:in|at|on) (?:my|the|our|a|this)\b|\b(?:is|are|was|its|caught|catch|catching|set"
    r"|my \w+) (?:on )?fire\b(?! ?(?:place|extinguisher|door|sprinkler|resistant|proof|rated"
    r"|safe))"
    r"|\bon fire\b|\b(?:house|kitchen|building|apartment|room|basement|heater|boiler|wall|roof"
    r"|oven)(?: \w+)? (?:is )?burning\b|\bflames? (?:coming|in|from|shooting|everywhere)",
    r"\b(?:smoke|smoking)(?: is| was)? (?:coming|pouring|filling|everywhere|from|in)\b(?!"
    r" (?:area|room|zone))|\bfull of smoke\b|\bsmell (?:of )?(?:smoke|burning)\b|\bsmelling"
    r" smoke\b",
    r"\bcarbon monoxide(?! (?:detectors?|alarms?|sensors?)\b(?! (?:is|are|has|just|keeps|went"
    r"|goes|started|starts) (?:\w+ )?(?:going|gone|off|beep\w*|ring\w*|alarm\w*|sound\w*)))"
    r"|\b(?:co|smoke|gas|fire) (?:detector|alarm)(?: \w+){0,2}? (?:going off|went off|goes off"
    r"|beeping|ringing|sounding)",
    r"\bexplo(?:ded|sion|de|ding)\b",
    r"\belectrocut\w*|\belectric(?:al)? shock\b|\b(?:got|get|getting|been|was|were|is) (?:\w+"
    r" )?shocked(?! (?:by|at|about|to|when i saw|how))|\bsparks? (?:coming|flying|from|out)\b"
    r"|\bsparking\b",
    rf"\b(?:water|flood\w*|leak\w*|rain|dripp\w*|pour\w*|running|spray\w*)(?: \w+){{0,5}}?"
    rf" (?:into|in|onto|on|near|over"
    rf"|through|by|under|from|to|at|of|behind|beside)(?: \w+){{0,3}}? {_NEAR_WATER}",
    r"\b(?:ceiling|wall|roof|floor)(?: \w+){0,3}? (?:collaps\w+|coming down|caving in|caved in"
    r"|fell down|has fallen|came down)",
    r"\b(?:someone|somebody|child|kid|baby|son|daughter|husband|wife|mother|father|mom|dad"
    r"|friend|neighbou?r|man|woman|he|she|i|im|people|person|colleague|plumber|worker)(?:"
    r" \w+){0,3}? (?:hurt|injured|unconscious|bleeding|burned|burnt|scalded|trapped|dying|passed"
    r" out|collapsed|drowning|not breathing|choking|poisoned|dead)\b",
    r"\b(?:not breathing|cant breathe|cannot breathe|unconscious|heart attack|having a stroke"
    r"|chest pains?|severe bleeding|bleeding (?:badly|heavily|a lot)|overdose|suicide|kill"
    r" myself|end my life)\b",
    r"\b(?:water|flood\w*)(?: \w+){0,4}? (?:waist|knee|chest|neck) (?:deep|high)\b|\b(?:trapped"
    r"|stuck) (?:in|by) the (?:water|flood|elevator|lift|basement|fire)\b",
    r"\b(?:this is|its|it is|thats|that is|i have|we have|ive got|there is|theres|its really"
    r"|this is really|got) (?:an? )?(?:real |absolute |true |serious |life threatening |medical "
    r"|plumbing |urgent |huge |big |major |actual )*emergency\b(?! (?:line|number|service|fee"
    r"|visit|call|charge|cover|contact|plan|kit|shut))",
    r"\b(?:call|need) (?:an ambulance|the ambulance|the fire department|the fire brigade|911|999"
    r"|112|the police)\b|\bneed (?:police|ambulance|fire department)\b",
    r"\b(?:help|please help)(?: me)? (?:im|i am|we are|were) (?:dying|hurt|trapped|drowning"
    r"|burning|injured)\b",
    r"\b(?:break ?in|burglar|intruder|robber)\w* (?:in|at|right now)\b|\bsomeone (?:is"
    r" )?(?:breaking in|attacking)\b",
)
_EMERGENCY = _any(
    _EMERGENCY.pattern,
    r"\bfill\w*(?: up)? with (?:\w+ )?(?:smoke|gas|fumes)\b|\bflames? (?:are |is )?(?:coming"
    r"|shooting)\b|\bsmell (?:something |it |wires? |plastic |rubber )*(?:burning|smoke)\b",
    r"\b(?:isnt|not|stopped|no longer) (?:moving|breathing|responding|waking up)\b"
    r"(?! (?:parts?|to (?:a|our|your|my)))",
    r"\b(?:swallowed|ate|drank|took) (?:\w+ ){0,2}?(?:batter(?:y|ies)|poison|bleach|too many pills"
    r"|pills|magnets?|chemicals?)\b|\b(?:was|got|been) (?:stabbed|shot|attacked|electrocuted|run"
    r" over|hit by a)\b",
    r"\b(?:someone|somebody|man|guy|person|woman) (?:\w+ )?(?:with|has|holding) a (?:gun|knife"
    r"|weapon)\b|\b(?:broke|broken|breaking) into (?:my|our|the|your) (?:\w+ )?(?:house|home"
    r"|apartment|flat|office|shop|store)\b(?!.*\b(?:last|yesterday|insurance)\b)",
    r"\b(?:power|electric|live) (?:line|wire|cable)s? (?:\w+ )?(?:fell|down|hanging|loose|came"
    r" down|on the (?:ground|road|floor))\b",
    r"\bbroke(?:n)? (?:his|her|their|my) (?:leg|arm|neck|back|hip|skull)\b|\bfell (?:down the"
    r" stairs|off (?:a|the) (?:ladder|roof|scaffold\w*))\b",
    r"\b(?:child|kid|baby|son|daughter|toddler|dog|mother|mum|mom|father|dad|wife|husband|man|woman"
    r"|somebody|someone|person|he|she) (?:is |are |has been |got )?(?:locked|stuck|trapped|pinned"
    r"|underneath|under) (?:in|inside|under|underneath|beneath|between)\b"
    r"|\b(?:is|are) (?:trapped|pinned|buried)\b|\bis underneath\b",
    # Whoever it is: these say enough by themselves.
    r"\b(?:is|are|was|were|has been|have been|got) (?:\w+ )?(?:bleeding|unconscious|run over"
    r"|knocked down|badly hurt|seriously (?:hurt|injured))\b"
    r"|\b(?:has|have|had|just) (?:\w+ )?(?:collapsed|fainted|passed out|stopped breathing)\b",
    r"\b(?:there has been|there was|theres been|had) an? (?:\w+ )?accident\b"
    r"(?=.*\b(?:hurt|injured|bleeding|blood|trapped|ambulance|unconscious)\b)",
    r"\blife or death\b|\blife threatening\b|\bcrash(?:ed)? into (?:your|my|our|the) (?:shop|house"
    r"|store|building|office|wall|window|fence)\b",
)
_NOT_EMERGENCY = _any(
    r"\b(?:can|may|could|allowed to|am i allowed to|do you) (?:i |we |you |people |to )*smoke\b",
    r"^(?!.*\b(?:fire|flames?|burning|smell\w*)\b).*\bif (?:i|we|you|guests?|people|somebody"
    r"|someone) smokes?\b",
    r"\b(?:gums?|nose|tooth|teeth|prices?|market|printer|radiators?|sales)(?: \w+){0,2}?"
    r" (?:bleeding|collapsed)\b(?! (?:badly|heavily|a lot))",
    r"\bdying to (?:know|hear|see|try|find)\b",
    r"\bstop(?:ped)? (?:moving|working|responding)(?: \w+){0,3}? (?:car|engine|printer|clock"
    r"|computer|machine|phone|screen|website)\b",
    r"\b(?:no|not|isnt|wasnt|arent|never|dont|doesnt|without)(?: \w+){0,3}? (?:emergency|fire"
    r"|gas|gas leak|smoke|hurt|injured|danger|shock|sparks?|bleeding|burning|smell gas)\b(?!"
    r" (?:but|service))",
    r"\b(?:do|does|did|are|is|would|will|can|could) (?:you|your|the|there|a|this|that|i)(?:"
    r" \w+){0,8}? (?:install|sell|test|check|service|offer|clean|inspect|repair|fix|replace|have"
    r"|count\w*|cost|charge|cover\w*)(?: \w+){0,6}? (?:fire|smoke|gas|carbon monoxide|emergency"
    r"|alarm|detector)",
    r"\b(?:if|in case|when|whenever) (?:there is|theres|it is|its|i have|we have|this is|of)"
    r" (?:an? )?(?:\w+ )?emergency\b",
    r"\bwhat (?:is|counts as|would be) (?:considered )?an emergency\b|\bis (?:this|that|it) an"
    r" emergency\b",
    r"\bfire (?:sale|stick|tv|wall)\b|\b(?:fired|hire and fire)\b",
)

_INSULT = (
    r"(?:stupid|dumb|idiotic?|idiots?|moron|useless|fucking|bloody|damn|goddamn|piece of (?:shit"
    r"|crap|junk|garbage)|shit|bastard|bitch|asshole|arsehole|cunt|wanker|dick|motherfucker)"
)
_ABUSE = _any(
    r"\b(?:fuck|screw|damn|stuff) (?:you|yourself|off|u|your \w+)\b|\bgo to hell\b"
    r"|\bpiss off\b|\bsuck my\b|\bkiss my\b|\bgo (?:fuck|kill) yourself\b|\bi will kill you\b",
    rf"\byou(?:re| are)? (?:all |just |such |really |so |a |an |the |(?:fucking |bloody |damn "
    rf"|stupid |dumb |useless )+)*{_INSULT}\b",
    r"\bshut (?:the (?:fuck|hell) )?up\b|\b(?:stupid|dumb|fucking|useless) (?:machine|robot|bot"
    r"|computer|thing)\b",
    rf"^(?:(?:you|oh|um|uh|hey|the|what|a|an) )*{_INSULT}(?: {_INSULT})*$|^fuck(?: this| it)*$",
)

_URGENT = _any(
    r"\b(?:this is|its|it is|that is|thats|really|very|quite|rather|extremely|so) (?:really |very "
    r"|quite |extremely |so |rather |an? )*(?:urgent|time critical)\b",
    r"\b(?:urgent(?:ly)?|immediately|at once|right now|right away|straight away) (?:need|needs"
    r"|help|please help)\b|\b(?:need|needs|want) (?:\w+ ){0,4}?(?:urgently|immediately|at once"
    r"|right now|right away|straight away)\b",
    r"\b(?:it|this|that) (?:really )?(?:cant|cannot|can not|wont|must not|mustnt) wait\b"
    r"|\b(?:cant|cannot|can not) wait (?:until|till) (?:tomorrow|monday|morning|next)\b",
    r"\burgent (?:matter|problem|case|issue|situation)\b|^urgent(?: please)?$",
)
_NOT_URGENT = _any(
    r"\b(?:not|isnt|nothing|no|never|wasnt)(?: \w+){0,2}? (?:urgent|hurry|rush)\b",
    r"^(?:(?:and|so|but|hi|hello|um|uh) )*(?:is|are|do|does|how|what|when|would|will|can)"
    r" (?:you|the|there|a|an|it|your|much|i)\b(?!.*\b(?:its|it is|this is|need)\b).*\b(?:urgent"
    r"|urgently|immediately|at once|right now|right away)\b",
    r"\bif (?:its|it is|this is|that is)(?: \w+)? urgent\b",
)
_REACHED = _any(
    r"^(?:\w+ ){0,3}?(?:have i|did i|ive) (?:reached?|called|dialed|dialled|got through to)\b"
    r"(?! (?:a|an|any|my) )",
    r"^(?:\w+ ){0,3}?(?:who|which|what) (?:company|business|department|place|number|line|team)"
    r" (?:is this|am i (?:calling|talking to)|have i (?:reached|called|dialed|dialled))\b",
    r"^(?:\w+ ){0,2}?who (?:have|did) i (?:reached?|called|call)\b",
)
_TEAMS = _any(
    r"\b(?:which|what) (?:teams|departments|people|offices|desks)\b(?: \w+){0,3}? (?:there|have"
    r"|exist|available|talk|speak|put me through|connect|transfer|reach)\b",
    r"\b(?:who|whom) (?:can|could) you (?:put|connect|transfer|pass) me\b",
)

_FILLERS = """
ok okay thanks thank you very much so for your the help great then alright all right well no yes
yeah that is thats perfect too a lot and it me i im have nice day again now just um uh oh good
fine really helpful information info answer was been will be sure kind of its today appreciate
lovely wonderful cheers please sir madam maam there dear with hello hi hey this everything else
nothing more thing needed wanted to know my name
"""

INTENTS = IntentRules(
    emergency=_EMERGENCY,
    not_emergency=_NOT_EMERGENCY,
    person=_PERSON,
    not_person=_NOT_PERSON,
    voicemail=_VOICEMAIL,
    not_voicemail=_NOT_VOICEMAIL,
    repeat=_REPEAT,
    wait=_WAIT,
    goodbye=_GOODBYE,
    thanks=_THANKS,
    greeting=_GREETING,
    identity=_IDENTITY,
    ability=_ABILITY,
    wellbeing=_WELLBEING,
    yes=_YES,
    no=_NO,
    abuse=_ABUSE,
    urgent=_URGENT,
    not_urgent=_NOT_URGENT,
    reached=_REACHED,
    teams=_TEAMS,
    reach_team=(
        r"^(?:(?:the|your|to|um|uh|hello|hi|yes|no|oh|just|and|a) )*{team}(?: (?:department|team"
        r"|desk|office|"
        r"please|person|people|section|now|thanks))*$"
        r"|(?:get|give|find|put|connect|transfer|want|need)(?: me)?(?: (?:through|over|with|to))*"
        r" (?:the |your )*{team}(?: (?:please|now|thanks))*$"
        r"|(?:for|to|with|connect|transfer|through|is|give me|get me|the|number (?:of|for))"
        r" (?:the |your |a |someone (?:from|in|at) |somebody (?:from|in|at) )*"
        r"{team} (?:department|team|desk|section|office|people|person|colleagues?|staff)\b"
        r"|(?:some ?one|some ?body|any ?one|any ?body|person|colleague|lady|guy|man|woman|people)"
        r" (?:from|in|at|of) (?:the |your )*{team}\b"
    ),
    fillers=frozenset(_FILLERS.split()),
)

EXAMPLES = {
    Action.HANDOFF: (
        "can I speak to someone",
        "I would like to talk to a person",
        "put me through to somebody",
        "get me a human being",
        "I want to discuss this with one of your people",
        "there is a mistake and I want to complain",
        "you are not helping me",
        "I don't want to talk to a computer",
        "could one of your colleagues call me",
        "could one of your people take this call",
    ),
    Action.VOICEMAIL: (
        "I would like to leave a message",
        "can I record a message for him",
        "please pass on a message",
    ),
    Action.REPEAT: (
        "could you say that again please",
        "I did not understand what you said",
        "what was that",
        "run that by me again",
    ),
    Action.GOODBYE: (
        "that is all thank you goodbye",
        "no more questions bye",
        "I have everything I need",
        "you can hang up now",
    ),
}
