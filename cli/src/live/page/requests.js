// The panel with the slowest, failed and recent requests, and the routes that were inferred.

import { attribute, ago, byId, copyButton, count, duration, el, keyed, say, shown } from "/parts.js";
import { routeName, source } from "/routes.js";

export const TABS = ["slowest", "failed", "recent", "inferred"];

const NOTHING = {
  slowest: "No request yet.",
  failed: "Nothing has failed. Answers with 5xx and requests without an answer are listed here.",
  recent: "No request yet.",
  inferred: "No route was inferred: every path that the app knows matches a template, or no request has come yet.",
};

/** How many requests this page remembers, to list those of one route, which the server's lists may lack. */
const REMEMBERED = 2_000;
const LISTED = 50;

const remembered = new Map();
/** The templates that are not to be copied. */
const unwanted = new Set();
let inferred = null;

const isWanted = (it) => !unwanted.has(pinName(it));
const pinName = (it) => `${it.service} ${it.route} ${it.template}`;

export const isFailed = (it) => it.status >= 500 || it.status === 0 || Boolean(it.error_type);

/** A badge with the status of a request. */
export function status(it) {
  const kind = isFailed(it) ? "bad" : it.status >= 400 ? "odd" : "good";
  const badge = el("span", { class: `status ${kind}` }, it.status === 0 ? "none" : String(it.status));
  attribute(badge, "title", it.status === 0 ? "No response was sent." : null);
  return badge;
}

/** What went wrong with a request beyond its status, if anything. */
export const trouble = (it) =>
  [it.error_type, it.flags].filter((said) => said && said !== String(it.status)).join(" · ");

/** The name of a request among others: request IDs may come from clients, and repeat. */
export const requestName = (it) => it.span_id || it.request_id;

/** Makes the tabs; `choose` is called with the one that is wanted. */
export function begin(choose) {
  const tabs = TABS.map((name) => {
    const label = name[0].toUpperCase() + name.slice(1);
    const attributes = { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "tab-panel" };
    const tab = el("button", attributes, label, " ", el("small"));
    tab.addEventListener("click", () => choose(name));
    return tab;
  });
  const list = document.querySelector(".tabs");
  list.append(...tabs);
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
    next.focus();
    next.click();
  });
}

/** Forgets what another run of the server has sent. */
export function forget() {
  remembered.clear();
  unwanted.clear();
}

/** Keeps the requests of an answer, the newest last. */
export function remember({ slowest, failed, recent }) {
  for (const it of [...slowest, ...failed, ...recent]) {
    remembered.delete(requestName(it));
    remembered.set(requestName(it), it);
  }
  for (const name of remembered.keys()) {
    if (remembered.size <= REMEMBERED) break;
    remembered.delete(name);
  }
}

/** Shows one tab, of all routes or of the one whose name is given; `open` makes the address of a request. */
export function draw(snapshot, tab, route, open) {
  for (const name of TABS) drawTab(name, name === tab, snapshot[name].length);
  attribute(byId("tab-panel"), "aria-labelledby", `tab-${tab}`);
  const isInferred = tab === "inferred";
  const listed = isInferred ? [] : requests(snapshot, tab, route);
  drawList(byId("requests"), listed, snapshot, open);
  byId("requests").hidden = isInferred;
  byId("inferred").hidden = !isInferred || snapshot.inferred.length === 0;
  if (isInferred) drawInferred(snapshot);
  const isEmpty = (isInferred ? snapshot.inferred : listed).length === 0;
  byId("panel-nothing").hidden = !isEmpty;
  say(byId("panel-nothing"), route && !isInferred ? "None of this route's requests is in this list." : NOTHING[tab]);
}

function drawTab(name, isChosen, length) {
  const tab = byId(`tab-${name}`);
  attribute(tab, "aria-selected", isChosen);
  attribute(tab, "tabindex", isChosen ? 0 : -1);
  const isTold = length > 0 && (name === "failed" || name === "inferred");
  say(tab.lastChild, isTold ? count(length) : "");
}

function requests(snapshot, tab, route) {
  if (!route) return snapshot[tab];
  const ofRoute = [...remembered.values()].filter((it) => routeName(it) === route);
  if (tab === "slowest") ofRoute.sort((one, other) => other.duration_ms - one.duration_ms);
  else ofRoute.sort((one, other) => other.started_ms - one.started_ms);
  return ofRoute.filter((it) => tab !== "failed" || isFailed(it)).slice(0, LISTED);
}

/** A list of requests, each a link. */
export function drawList(list, items, snapshot, open) {
  keyed(list, items, requestName, make, (row, it) => {
    attribute(row.link, "href", open(it));
    say(row.since, ago(snapshot.now_ms - it.started_ms));
  });
}

function make(it) {
  const since = el("span", { class: "since" });
  const first = el("span", { class: "path" });
  say(first, it.path);
  const facts = el("span", { class: "facts" });
  say(facts, [it.service, it.route === it.path ? null : it.route, it.stream].filter(Boolean).join(" · "));
  const wrong = el("span", { class: "wrong" });
  say(wrong, trouble(it));
  const method = el("b", { class: "method" });
  say(method, it.method);
  const took = el("span", { class: "took" }, duration(it.duration_ms));
  const link = el("a", { "data-item": "" }, status(it), method, first, took, facts, wrong, since);
  return Object.assign(el("li", {}, link), { link, since });
}

function drawInferred({ inferred: routes, services }) {
  inferred ??= makeInferred();
  inferred.routes = routes;
  inferred.services = services;
  keyed(inferred.body, routes, pinName, makeRow, (row, it) => {
    say(row.requests, count(it.requests));
    row.wanted.checked = isWanted(it);
  });
  drawChoice();
}

function makeInferred() {
  const heads = ["", "Template", "Requests"].map((label, index) =>
    el("th", { scope: "col", class: index === 2 ? "number" : null }, label),
  );
  const body = el("tbody", { "data-list": "" });
  const made = { body, text: el("pre", { class: "yaml" }), routes: [], services: [] };
  made.copy = copyButton("Copy templates", () => templates(made));
  const why = "The app answers these paths, and no template names them. Put those worth keeping into the configuration:";
  const table = el("table", {}, el("thead", {}, el("tr", {}, ...heads)), body);
  byId("inferred").append(el("p", {}, why), table, el("p", {}, made.copy), made.text);
  return made;
}

function makeRow(it) {
  const name = pinName(it);
  const wanted = el("input", { type: "checkbox", "data-item": "" });
  attribute(wanted, "aria-label", "Copy this template");
  wanted.addEventListener("change", () => {
    if (wanted.checked) unwanted.delete(name);
    else unwanted.add(name);
    drawChoice();
  });
  const template = el("code");
  say(template, it.template);
  const example = el("span", { class: "example" }, source(it.source), shown(`${it.service} · such as ${it.example}`));
  const requests = el("td", { class: "number" });
  const label = el("th", { scope: "row" }, template, example);
  const row = el("tr", {}, el("td", {}, wanted), label, requests);
  return Object.assign(row, { requests, wanted });
}

function drawChoice() {
  const text = templates(inferred);
  if (inferred.text.textContent !== text) inferred.text.textContent = text;
  inferred.copy.disabled = text === "";
}

/** A `routes:` block for each service that has a wanted template. */
function templates({ routes, services }) {
  const wanted = routes.filter(isWanted);
  const blocks = [...new Set(wanted.map((it) => it.service))].map((service) => {
    const own = wanted.filter((it) => it.service === service).map((it) => it.template);
    const comment = services.length > 1 ? `# ${shown(service)}\n` : "";
    return `${comment}routes:\n  templates:\n${[...new Set(own)].map((it) => `    - ${yaml(it)}\n`).join("")}`;
  });
  return blocks.join("");
}

/** As YAML writes it: plain where nothing in it has a meaning, else in quotes. */
function yaml(text) {
  const isPlain = /^\/[A-Za-z0-9/_.~{}<>()|+$,*:@=-]*$/.test(text) && !text.endsWith(":");
  const escaped = (mark) => `\\U${mark.codePointAt(0).toString(16).padStart(8, "0")}`;
  return isPlain ? text : JSON.stringify(text).replace(/[^\x20-\x7e]/gu, escaped);
}
