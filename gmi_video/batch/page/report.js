"use strict";
// The cards are data in the page; only one page of them is ever drawn, and text is only ever set as text.
const cards = JSON.parse(document.getElementById("cards").textContent);
const PAGE = 120;
const find = (id) => document.getElementById(id);
const [search, state, model, order, sheet, shown, player] =
  ["search", "state", "model", "order", "sheet", "shown", "player"].map(find);
let chosen = cards, page = 0;

function made(name, kind, text) {
  const node = document.createElement(name);
  if (kind) node.className = kind;
  if (text !== undefined) node.textContent = text;
  return node;
}
const size = (bytes) => bytes < 1e6 ? (bytes / 1e3).toFixed(1) + " kB" : (bytes / 1e6).toFixed(1) + " MB";
const span = (s) => s < 60 ? s.toFixed(1) + " s" : Math.floor(s / 60) + " min " + String(Math.round(s % 60)).padStart(2, "0") + " s";
const whole = (c) => (c.queued || 0) + (c.processing || 0) + (c.downloading || 0);

function facts(card) {
  const parts = [card.model];
  if (card.cost !== undefined && card.state !== "failed") parts.push("$" + (/\.\d\d/.test(card.cost) ? card.cost : Number(card.cost).toFixed(2)));  // the service charges no failure
  if (whole(card)) parts.push(span(whole(card)));
  if (card.size) parts.push(size(card.size));
  if (card.tries) parts.push(card.tries + " attempts");
  return parts.join(" · ");
}

function frame(card) {
  const box = made(card.href ? "a" : "div", "frame " + card.state);
  if (card.href) {
    box.href = card.href;
    box.title = card.file;
    if (/^https?:/.test(card.href)) { box.target = "_blank"; box.rel = "noreferrer"; }
    else if (card.kind) box.addEventListener("click", (event) => play(event, card));
  }
  if (card.thumb) {
    const image = made("img");
    image.src = "data:image/webp;base64," + card.thumb;
    image.alt = ""; image.loading = "lazy"; image.decoding = "async";
    box.append(image);
  } else {
    box.append(made("span", "", card.state === "done" ? card.file || "done" : card.state));
  }
  return box;
}

function drawn(card) {
  const article = made("article", "card"), body = made("div", "body"), head = made("div", "head");
  head.append(made("b", "", card.key ?? "line " + card.n), made("span", "dim", card.key === undefined ? "" : "line " + card.n));
  const prompt = made("div", "prompt", card.prompt || "");
  prompt.title = card.prompt || "";
  body.append(head, prompt, made("div", "facts", facts(card)));
  if (card.reason) {
    const why = made("div", "why", (card.why ? card.why + ": " : "") + card.reason);
    why.title = card.reason;
    body.append(why);
  }
  article.append(frame(card), body);
  return article;
}

function play(event, card) {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  const shownAs = { video: "video", audio: "audio", image: "img" }[card.kind];
  const film = made(shownAs);
  film.src = card.href;
  if (shownAs !== "img") { film.controls = true; film.autoplay = true; }
  const close = made("button", "", "Close");
  close.addEventListener("click", () => player.close());
  const words = made("p", "words", card.prompt || "");
  player.replaceChildren(film, words, made("p", "facts", [card.file, facts(card)].join(" · ")), close);
  player.showModal();
}
player.addEventListener("close", () => player.replaceChildren());
player.addEventListener("click", (event) => { if (event.target === player) player.close(); });

const ORDERS = {
  line: (a, b) => a.n - b.n,
  cost: (a, b) => (Number(b.cost) || 0) - (Number(a.cost) || 0) || a.n - b.n,
  time: (a, b) => whole(b) - whole(a) || a.n - b.n,
};

function choose() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  chosen = cards.filter((card) => {
    if (state.value && card.state !== state.value) return false;
    if (model.value && card.model !== model.value) return false;
    if (!words.length) return true;
    const text = [card.prompt, card.key, card.model, card.reason, card.id, card.file].join("\n").toLowerCase();
    return words.every((word) => text.includes(word));
  });
  if (order.value !== "line") chosen.sort(ORDERS[order.value]);
  turn(0);
}

function turn(to) {
  const last = Math.max(0, Math.ceil(chosen.length / PAGE) - 1);
  page = Math.min(Math.max(to, 0), last);
  const from = page * PAGE, these = chosen.slice(from, from + PAGE);
  sheet.replaceChildren(...these.map(drawn));
  shown.textContent = chosen.length
    ? `${from + 1}–${from + these.length} of ${chosen.length.toLocaleString("en")}` : "none";
  find("before").disabled = page === 0;
  find("after").disabled = page === last;
}

for (const [select, name] of [[state, "state"], [model, "model"]]) {
  const counts = new Map();
  for (const card of cards) counts.set(card[name], (counts.get(card[name]) || 0) + 1);
  for (const [value, count] of [...counts].sort()) {
    const option = made("option", "", `${value} (${count})`);
    option.value = value;
    select.append(option);
  }
}
let wait = 0;
search.addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(choose, 150); });
for (const select of [state, model, order]) select.addEventListener("change", choose);
function leaf(step) { turn(page + step); find("sheet-head").scrollIntoView(); }
find("before").addEventListener("click", () => leaf(-1));
find("after").addEventListener("click", () => leaf(1));
document.addEventListener("keydown", (event) => {
  if (player.open || event.target.closest("input, select") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "ArrowRight" && !find("after").disabled) leaf(1);
  if (event.key === "ArrowLeft" && !find("before").disabled) leaf(-1);
});
choose();
