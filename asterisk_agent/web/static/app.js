"use strict";
// Calls in progress: the server sends ready-made, escaped HTML, and we put it in its place.

function ages() {
  for (const time of document.querySelectorAll("time.since")) {
    const seconds = Math.max(0, Math.round((Date.now() - Date.parse(time.dateTime)) / 1000));
    time.textContent = Math.floor(seconds / 60) + ":" + String(seconds % 60).padStart(2, "0");
  }
}

function toTheEnd(card) {
  const said = card.querySelector(".transcript");
  if (said) said.scrollTop = said.scrollHeight;
}

function follow(list) {
  const none = document.getElementById("no-calls");
  const lost = document.getElementById("stream-lost");
  const cardOf = (id) => document.getElementById("call-" + id);
  const count = () => none.classList.toggle("hidden", list.children.length > 0);
  const source = new EventSource(list.dataset.stream);
  const seen = new Set();

  source.onopen = () => {
    lost.classList.add("hidden");
    seen.clear();
    // Whatever is not told again within a moment has ended meanwhile.
    setTimeout(() => {
      for (const card of [...list.children]) if (!seen.has(card.dataset.call)) card.remove();
      count();
    }, 1500);
  };
  source.onerror = () => lost.classList.remove("hidden");

  source.addEventListener("new", (event) => {
    const { id, html } = JSON.parse(event.data);
    seen.add(id);
    const old = cardOf(id);
    if (old) {
      const inner = new DOMParser().parseFromString(html, "text/html").querySelector(".inner");
      old.querySelector(".inner").replaceChildren(...inner.childNodes);
    } else {
      list.insertAdjacentHTML("afterbegin", html);
    }
    toTheEnd(cardOf(id));
    count();
    ages();
  });
  source.addEventListener("call", (event) => {
    const { id, html } = JSON.parse(event.data);
    const card = cardOf(id);
    if (!card) return;
    const said = card.querySelector(".transcript");
    const below = said ? said.scrollHeight - said.scrollTop - said.clientHeight : 0;
    card.querySelector(".inner").innerHTML = html;
    if (below < 40) toTheEnd(card);
    else card.querySelector(".transcript").scrollTop = said.scrollTop;
    ages();
  });
  source.addEventListener("gone", (event) => {
    const { id } = JSON.parse(event.data);
    seen.delete(id);
    const card = cardOf(id);
    if (!card) return;
    card.classList.add("over");
    card.querySelector(".take-over")?.remove();
    const link = document.createElement("a");
    link.href = "/calls/" + id;
    link.textContent = "The call has ended. Show it in the log";
    card.append(link);
    setTimeout(() => { card.remove(); count(); }, 15000);
  });
  source.addEventListener("health", (event) => {
    document.getElementById("live-health").innerHTML = JSON.parse(event.data).html;
  });
}

const live = document.getElementById("live");
if (live) {
  follow(live);
  for (const card of live.children) toTheEnd(card);
  setInterval(ages, 1000);
  ages();
}
