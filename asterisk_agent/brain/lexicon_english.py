"""What English words are worth in a question to a business, whatever its trade."""

from __future__ import annotations

from asterisk_agent.brain.words import Lexicon

_STOP = """
a an the this that these those there here it its he she him her his hers they them their we us our
ours you your yours i me my mine myself yourself one ones
im ive id ill youre youve youll hes shes weve were theyre theres heres whats wheres whos hows thats
is are am was be been being isnt arent wasnt werent aint do does did doing done dont doesnt didnt
have has had having havent hasnt can could may might must shall should will would wont wouldnt cant
couldnt shouldnt lets let
what which who whom whose when where why how much many
and or but if then than so because as of to in on at by for from with about into onto over off up
out down through during until till between
not no nor yes yeah yep nope ok okay well um uh er erm hmm oh ah eh please thanks thank hello hi hey
good morning afternoon evening sorry excuse
just also too very really quite already still again ever even only actually maybe perhaps any some
anything something someone somebody anyone anybody everything nothing else each every all both own
want wanted wants need needs needed like know tell ask asking wonder wondering wanna gonna gotta
question quick guys folks sir madam maam
"""

_LIGHT = """
come go get give take make put bring use find see say look think try happen work offer provide
possible available able normally usually currently moment time day way kind sort type lot bit
please help company business firm place people person now today new old big small little more
most another last since extra take long quite late early back
other same different sure right let allow mean regard
"""

_SYNONYMS = """
price cost fee charge rate expensive cheap pricing tariff fare
invoice bill
quote estimate quotation
open opening opened close shut closing closed closure
repair fix mend fixing
block blocked clog clogged unblock unclog clear
leak drip dripping leaking leaky
tap faucet
warranty guarantee
discount reduction rebate concession
reserve booking reservation
appointment visit
move reschedule postpone
travel journey trip
area region district neighborhood neighbourhood
serve cover
job hiring hire vacancy career recruit
renovate renovation remodel refurbish
instruction manual guide
allergy allergic
expire expiry expiration
refund reimburse
senior elderly pensioner
soon quickly fast quick
start begin
buy purchase
sell sale
child kid children kids
phone telephone
install fit mount
installment instalment
color colour
member membership
owner boss
borrow loan lend
renew extend prolong
late overdue
lose lost missing misplace mislaid
copy duplicate photocopy photocopies
park parking
toilet lavatory loo restroom wc
break broke broken
freeze froze frozen
send sent
pay paid payment
hold held
bring brought
hour hourly
year yearly annual annually
month monthly
week weekly
day daily
accept accepted
afraid scared anxious nervous fear scary terrified
pull pulled extract
drive driving drove
thaw defrost unfreeze
stolen steal theft
wheelchair disabled disability
speak spoke
teach taught
check cheque
apartment flat
elevator lift
vacation holiday
delivery deliver ship shipping
opinion review
drain sewer
weekend weekends
cancel cancellation
free gratis complimentary
website online web site
internet wifi wlan
doctor physician
medicine medication
car vehicle auto automobile
shop store
license licence
motorway highway freeway expressway
truck lorry
exam examination test
lesson class tuition
instructor teacher coach trainer tutor
student pupil learner
taxi cab
petrol fuel gasoline
tire tyre
garbage trash rubbish
sick ill unwell illness
mother mom mum
father dad daddy
grandmother grandma granny
grandfather grandpa granddad
baby infant newborn
crib cot
luggage bag suitcase baggage
refrigerator fridge
television tv
gym fitness
bicycle bike
motorcycle motorbike
photo picture photograph
movie film
mobile cell cellphone smartphone
lawyer attorney solicitor
pharmacy chemist drugstore
vaccination vaccine vaccinate immunization jab
pain hurt ache sore painful
glasses spectacles
pet animal
dog puppy
cat kitten
dinner supper
drink beverage
smoke smoking cigarette
insurance insured insure
complaint complain dissatisfied unhappy
teenager adolescent teen
woman women lady female
man men gentleman male
staff employee personnel worker
register enroll enrol registration enrollment
choose select
collect collection pickup
change swap switch exchange
fail failed failure
rent rental lease
voucher coupon
loyalty bonus reward
wedding marry married marriage
meeting seminar conference
projector beamer
require required requirement necessary mandatory compulsory
include included inclusive
maximum max
minimum min
laundry washing wash
noise noisy loud
document paperwork
identity identification id
application apply applicant
nearby near
swim swimming
party celebration
arrive arrival
couch sofa
gift present
ticket admission
translate translation translator
certificate diploma
neighbor neighbour
center centre
theater theatre
program programme
catalog catalogue
tour excursion
beginner novice
advanced experienced
package parcel
"""

_PLACE = (
    "office|shop|store|practice|clinic|library|building|company|garage|workshop|salon|place|address"
)
_PHRASES = (
    ("email address(?:es)?", "email"),
    ("web ?(?:site|page|address)", "website"),
    ("(?:tele)?phone numbers?", "phone"),
    ("fax numbers?", "fax"),
    ("car park|parking (?:lots?|spaces?|spots?)", "parking"),
    (
        rf"where (?:are you|is your|is the) (?:{_PLACE}|located|based|situated)|where are you"
        rf"|find (?:you|us)"
        rf"|your (?:{_PLACE}|exact) ?(?:address|location)|your (?:address|location)|how (?:do"
        rf"|can) i get (?:there|to you)"
        r"|^(?:address|location|directions|getting here|how to (?:find|reach) us)$|which street",
        "whereabouts",
    ),
    ("(?:pay|cost|charge)s? extra|(?:extra|additional) (?:cost|charge|fee)s?", "price"),
    ("how much(?! (?:time|notice|water|space|room|longer|of))", "price"),
    (
        "(?:(?:opening|office|business|working|surgery|shop|store|visiting|consultation|your|our)"
        " )+"
        "(?:hours|times?)",
        "open",
    ),
    ("what time do you|how early|how late", "open"),
    ("how (?:long|often|soon|fast|quick|quickly|far|big|old)", ""),
    ("turn(?:ed)? off|switch(?:ed)? off|shut off", "turnoff"),
    ("wi fi|wireless lan", "wifi"),
    ("visa|master ?card|american express|amex|debit cards?", "credit card"),
    ("gift (?:cards?|certificates?|vouchers?)", "voucher"),
    ("down payments?", "deposit"),
    ("sign(?:ed|ing)? up", "register"),
    ("pick(?:ed|ing|s)? (?:me |us |it |them |him |her )?up", "collect"),
    ("air con(?:ditioner|ditioned|ditioning)?", "aircon"),
    ("check ?(in|out)", r"check\1"),
    ("check ?ups?", "checkup"),
    ("call ?outs?", "callout"),
    ("money back", "refund"),
    ("put in", "install"),
    # What one reads, not what one does to a table.
    (r"(?:books|book(?= (?:donations?|clubs?|shops?|stores?|fairs?|sales?|returns?)))", "volume"),
    (r"(a|the|my|your|this|that|another|every|each|any|some|old|new|lost) book", r"\1 volume"),
    (
        r"(?:make|book|schedule|arrange|get|set up|fix) (?:an? |my |the |for an? )?(?:new |first )?"
        r"(?:appointment|visit)s?|book(?= online| by| over| on the)",
        "make appointment",
    ),
    ("making an appointment", "make appointment"),
)

_CONTRASTS = """
tenant renter lodger / landlord landlady
buy buyer purchase / sell seller sale
lend lender / borrow borrower
send sender / receive recipient
employer / employee
teacher instructor / pupil learner student
doctor nurse / patient
host / guest
supplier / customer
driver / passenger
adult / child kid baby
man men gentleman / woman women lady
arrive arrival / leave depart departure
week weekday midweek / weekend
petrol gasoline / diesel
manual / automatic
single / double twin / triple
private / public
indoor inside / outdoor outside
domestic national / international abroad
minimum least / maximum most
spring / summer / autumn fall / winter
"""

_SUFFIXES = (
    ("ies", "y", 2),
    ("sses", "ss", 1),
    ("ches", "ch", 2),
    ("shes", "sh", 2),
    ("xes", "x", 2),
    ("zes", "z", 2),
    ("ings", "", 3),
    ("ing", "", 3),
    ("ied", "y", 2),
    ("ed", "", 3),
    ("ss", "ss", 1),
    ("us", "us", 1),
    ("is", "is", 1),
    ("s", "", 3),
)

LEXICON = Lexicon(
    stop=frozenset(_STOP.split()),
    light=frozenset(_LIGHT.split()),
    synonyms=tuple(tuple(line.split()) for line in _SYNONYMS.strip().splitlines()),
    contrasts=tuple(
        tuple(tuple(side.split()) for side in line.split("/"))
        for line in _CONTRASTS.strip().splitlines()
    ),
    phrases=_PHRASES,
    suffixes=_SUFFIXES,
)
