// The live view: asks for the figures once a second and shows them, and knows what is open from the address
// (#route=… #request=… #trace=… #search=… #tab=…). Everything that is shown came from a client at
// some time, so it goes into the page as text only; see parts.js.

import { attribute, byId, clock, count, duration, mean, rate, ratio, say, shown, spark, el, keyed } from "/parts.js";
import * as drawer from "/drawer.js";
import * as requests from "/requests.js";
import * as routes from "/routes.js";

const PERIOD_MS = 1_000;
/** How often to look whether a server that has gone is there again. */
const GONE_MS = 5_000;
const PATIENCE_MS = 10_000;
const SPOKEN_MS = 15_000;
const SHORTEST_SEARCH = 4;
const THEMES = { auto: "Auto", light: "Light", dark: "Dark" };

const total = spark("All requests");
let snapshot = null;
let theme = "auto";
let isPaused = false;
let isGone = false;
let timer = null;
let isUnderWay = false;
let spokenAt = 0;
let openNow = "";
let lastRoute = null;
/** What had the focus before the drawer was opened. */
let came = null;

// One request at a time, whoever asks.
let queue = Promise.resolve();

/** What the server answers, its refusals included; null if it does not. */
function ask(path) {
  const answer = queue.then(async () => {
    try {
      const response = await fetch(path, { signal: AbortSignal.timeout(PATIENCE_MS) });
      return await response.json();
    } catch {
      return null;
    }
  });
  queue = answer;
  return answer;
}

async function poll() {
  clearTimeout(timer);
  if (isUnderWay || isPaused || document.hidden) return;
  isUnderWay = true;
  const began = performance.now();
  const answer = await ask("/api/live");
  isUnderWay = false;
  isGone = !answer?.totals;
  if (!isGone) take(answer);
  drawBanner();
  timer = setTimeout(poll, isGone ? GONE_MS : Math.max(100, PERIOD_MS - (performance.now() - began)));
}

function take(answer) {
  if (isPaused) return;
  if (snapshot?.started_ms !== answer.started_ms) requests.forget();
  snapshot = answer;
  requests.remember(answer);
  draw();
}

function drawBanner() {
  const banner = byId("banner");
  banner.hidden = !isGone;
  if (!isGone) return;
  const last = snapshot === null ? "" : ` The figures are those of ${clock(snapshot.now_ms)}.`;
  say(banner, `Sightline has ended.${last}`);
}

function draw() {
  if (snapshot === null) return;
  const chosen = address().get("route");
  drawTotals(snapshot);
  routes.draw(snapshot, (name) => linkTo({ ...CLOSED, route: name }), chosen);
  requests.draw(snapshot, tab(), chosen, openRequest);
  drawFilter(chosen);
}

function drawTotals({ totals, services, dropped, started_ms: started, now_ms: now }) {
  say(byId("total-rate"), rate(totals.rate));
  say(byId("total-errors"), ratio(totals.error_ratio));
  byId("total-errors").classList.toggle("wrong", totals.error_ratio > 0);
  for (const name of ["p50", "p95", "p99"]) say(byId(`total-${name}`), duration(totals[`${name}_ms`]));
  const known = services.map((it) => it.in_flight).filter((each) => each !== null && each !== undefined);
  say(byId("total-in-flight"), known.length === 0 ? "–" : count(known.reduce((all, each) => all + each, 0)));
  say(byId("total-requests"), count(totals.requests));
  say(byId("total-peak"), `at most ${count(total.draw(totals.spark, totals.spark_errors))}/s`);
  keyed(byId("services"), services, (it) => it.name, makeService, (row, it) => {
    say(row.lastChild, `${it.listen.replace("http://", "")} → ${it.app.replace("127.0.0.1:", ":")}`);
    attribute(row, "title", `Requests to ${shown(it.listen)} go to ${shown(it.app)}`);
  });
  say(byId("since"), `Since ${clock(started)}, for ${duration(now - started)}. Rates are of the last 10 s, the rest of the last minute.`);
  const title = `${services.map((it) => shown(it.name)).join(", ")} · Sightline`;
  if (document.title !== title) document.title = title;
  drawDropped(dropped);
  speak(totals);
}

function makeService(it) {
  const name = el("b");
  say(name, it.name);
  return el("li", {}, name, " ", el("span"));
}

function drawDropped({ lines, spans, reason }) {
  byId("dropped").hidden = !(lines > 0 || spans > 0);
  say(byId("dropped"), reason ?? `Not shown: ${count(lines)} lines, ${count(spans)} spans`);
}

/** For those who hear the page, seldom enough to bear. */
function speak(totals) {
  if (performance.now() - spokenAt < SPOKEN_MS && spokenAt > 0) return;
  spokenAt = performance.now();
  const figures = `${mean(totals.rate)} requests a second, ${ratio(totals.error_ratio)} errors`;
  say(byId("spoken"), `${figures}, 95 % within ${duration(totals.p95_ms)}`);
}

function drawFilter(chosen) {
  const place = byId("filter");
  place.hidden = chosen === null;
  if (chosen === null || place.dataset.route === chosen) return;
  place.dataset.route = chosen;
  const clear = el("button", { type: "button", title: "Requests of all routes (Esc)" }, "✕ all routes");
  clear.addEventListener("click", () => go({ route: null }));
  place.replaceChildren("Only ", el("code", {}, shown(chosen)), " ", clear);
}

// The address.

const CLOSED = { request: null, trace: null, search: null, span: null };

const address = () => new URLSearchParams(location.hash.slice(1));

function tab() {
  const said = address().get("tab");
  return requests.TABS.includes(said) ? said : "slowest";
}

/** The address with these parts changed; null takes one away. */
function linkTo(changes) {
  const parts = address();
  for (const [name, value] of Object.entries(changes)) {
    if (!value) parts.delete(name);
    else parts.set(name, value);
  }
  return `#${parts}`;
}

function openRequest(it) {
  const said = it.request_id ? { request: it.request_id } : { trace: it.trace_id };
  return linkTo({ ...CLOSED, ...said, span: it.span_id });
}

function go(changes) {
  location.hash = linkTo(changes);
}

/** Opens and closes what the address says. */
function follow() {
  draw();
  const [said, route] = [address(), address().get("route")];
  const isOpen = ["request", "trace", "search"].some((name) => said.get(name));
  const wanted = isOpen ? Object.keys(CLOSED).map((name) => said.get(name) ?? "").join(" ") : "";
  if (wanted !== openNow) openDrawer(said, wanted);
  if (route !== lastRoute && wanted === "") {
    if (route === null) routes.focus(lastRoute);
    else byId("requests").querySelector("a")?.focus();
  }
  lastRoute = route;
}

function openDrawer(said, wanted) {
  if (openNow === "") came = document.activeElement;
  openNow = wanted;
  const id = said.get("request") || said.get("trace");
  if (id) drawer.showRequest({ id, span: said.get("span") }, ask, openRequest, leave);
  else if (said.get("search")) drawer.showSearch(said.get("search"), ask, openRequest, leave);
  else closeDrawer();
}

function closeDrawer() {
  drawer.close();
  if (came?.isConnected) came.focus({ preventScroll: true });
}

/** Closes what was opened last. */
function leave() {
  if (openNow !== "") go(CLOSED);
  else go({ route: null });
}

// Keys and buttons.

function pause() {
  isPaused = !isPaused;
  attribute(byId("pause"), "aria-pressed", String(isPaused));
  say(byId("pause"), isPaused ? "Go on" : "Pause");
  document.body.classList.toggle("paused", isPaused);
  if (!isPaused) poll();
}

function chooseTheme(name) {
  theme = name;
  attribute(document.documentElement, "data-theme", name === "auto" ? null : name);
  say(byId("theme"), THEMES[name]);
}

function nextTheme() {
  const names = Object.keys(THEMES);
  chooseTheme(names[(names.indexOf(theme) + 1) % names.length]);
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // Browsers may forbid it; then the choice holds for this page.
  }
}

function savedTheme() {
  try {
    const saved = localStorage.getItem("theme");
    return Object.hasOwn(THEMES, saved ?? "") ? saved : "auto";
  } catch {
    return "auto";
  }
}

/** Goes to another row of the list with the focus, else of the drawer, else of the routes. */
function move(step) {
  const here = document.activeElement;
  const list = here?.closest("[data-list]") ?? byId("drawer").querySelector("[data-list]") ?? byId("routes").tBodies[0];
  const items = [...list.querySelectorAll("[data-item]")];
  const at = items.indexOf(here);
  const next = at < 0 ? items[0] : items[Math.min(Math.max(at + step, 0), items.length - 1)];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

const KEYS = {
  j: () => move(1),
  ArrowDown: () => move(1),
  k: () => move(-1),
  ArrowUp: () => move(-1),
  "/": () => byId("search").select() ?? byId("search").focus(),
  "?": () => byId("keys").showModal(),
  t: nextTheme,
  " ": pause,
  Escape: leave,
};
requests.TABS.forEach((name, index) => (KEYS[index + 1] = () => go({ tab: name })));

function onKey(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || byId("keys").open) return;
  const isTyping = event.target.matches?.("input[type=search], textarea");
  if (isTyping && !["Escape", "ArrowDown"].includes(event.key)) return;
  // Space presses what has the focus; only where it would press nothing it is ours.
  if (event.key === " " && event.target.matches?.("button, input, summary")) return;
  const act = KEYS[event.key];
  if (act === undefined) return;
  event.preventDefault();
  if (isTyping) event.target.blur();
  act();
}

function search(event) {
  event?.preventDefault();
  const text = byId("search").value.trim();
  // Enter, once what was searched for is there.
  if (event && address().get("search") === text) byId("drawer").querySelector("[data-item]")?.focus();
  if (text.length >= SHORTEST_SEARCH) go({ ...CLOSED, search: text });
  const why = text.length < SHORTEST_SEARCH && event ? `At least ${SHORTEST_SEARCH} characters` : "";
  byId("search").setCustomValidity(why);
  if (why) byId("search").reportValidity();
}

let typing = null;

function begin() {
  chooseTheme(savedTheme());
  byId("total-spark").append(total);
  routes.begin(draw);
  requests.begin((name) => go({ tab: name }));
  byId("pause").addEventListener("click", pause);
  byId("theme").addEventListener("click", nextTheme);
  byId("keys-button").addEventListener("click", KEYS["?"]);
  byId("search-form").addEventListener("submit", search);
  byId("search").addEventListener("input", () => {
    byId("search").setCustomValidity("");
    clearTimeout(typing);
    typing = setTimeout(search, 250);
  });
  document.addEventListener("keydown", onKey);
  document.addEventListener("visibilitychange", poll);
  addEventListener("hashchange", follow);
  poll().then(follow);
}

begin();
