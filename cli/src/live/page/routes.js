// The table of routes: its columns, its order, its rows. What a row opens is said by its link.

import { attribute, byId, copyButton, count, duration, el, keyed, mean, rate, ratio, say, spark } from "/parts.js";

/** How many rows are shown until somebody asks for all of them. */
const SHOWN = 100;

const SOURCES = {
  template: "A template of the configuration matched.",
  typed: "Inferred: segments that are numbers, UUIDs and so on are replaced by their kind.",
  learned: "Inferred: a segment with many values is replaced as well.",
  unmatched: "No template matched, and the app does not know the path.",
  overflow: "The limit of inferred routes is reached.",
};

const sum = (numbers) => numbers.reduce((all, each) => all + each, 0);

// `text` columns are sorted upwards at first, the others downwards.
const COLUMNS = [
  { label: "Route", text: true, of: (it) => `${it.route} ${it.method}` },
  { label: "Service", text: true, of: (it) => it.service, show: (it) => it.service },
  { label: "Source", text: true, of: (it) => it.source },
  { label: "Requests", of: (it) => it.requests, show: (it) => count(it.requests), title: "Since Sightline began" },
  { label: "Rate", of: (it) => it.rate, show: (it) => rate(it.rate), title: "The mean of the last 10 seconds" },
  {
    label: "Errors",
    of: (it) => it.error_ratio,
    show: (it) => ratio(it.error_ratio),
    title: "Answers with 5xx and requests without an answer, in the last minute. 4xx are the caller's and do not count.",
  },
  { label: "p50", of: (it) => it.p50_ms, show: (it) => duration(it.p50_ms), title: "In the last minute" },
  { label: "p95", of: (it) => it.p95_ms, show: (it) => duration(it.p95_ms), title: "In the last minute" },
  { label: "p99", of: (it) => it.p99_ms, show: (it) => duration(it.p99_ms), title: "In the last minute" },
  {
    label: "In flight",
    of: (it) => it.in_flight,
    show: (it) => mean(it.in_flight),
    title: "How many were under way at a time, in the mean of the last 10 seconds",
  },
  { label: "Last 60 s", of: (it) => sum(it.spark), title: "Requests a second, errors in red" },
];

const [ROUTE, SERVICE, SOURCE] = COLUMNS;
const SPARK = COLUMNS.at(-1);

let order = { column: COLUMNS.find((column) => column.label === "Requests"), down: true };
let wantsAll = false;
let again = () => {};

/** The name of a route in a link. */
export const routeName = (it) => `${it.service} ${it.method} ${it.route}`;

/** A badge that says where a route came from. */
export const source = (name) =>
  el("span", { class: `badge source-${name in SOURCES ? name : "unmatched"}`, title: SOURCES[name] }, name ?? "–");

/** Makes the head of the table; `redraw` is called when another order is asked for. */
export function begin(redraw) {
  again = redraw;
  byId("routes").tHead.rows[0].append(...COLUMNS.map(head));
  byId("show-all").addEventListener("click", () => {
    wantsAll = !wantsAll;
    again();
  });
}

function head(column) {
  const button = el("button", { type: "button", title: column.title ?? null }, column.label);
  button.addEventListener("click", () => {
    order = { column, down: order.column === column ? !order.down : !column.text };
    again();
  });
  const kind = column === SERVICE ? "service" : column === SPARK ? "last" : column.text ? null : "number";
  column.head = el("th", { scope: "col", class: kind }, button);
  return column.head;
}

/** Shows these routes; `link` makes the address of a row, `chosen` is the name of the one that is open. */
export function draw({ routes, services }, link, chosen) {
  const sorted = inOrder(routes);
  const listed = wantsAll ? sorted : top(sorted, chosen);
  byId("routes").classList.toggle("one-service", services.length < 2);
  for (const column of COLUMNS) {
    attribute(column.head, "aria-sort", column === order.column ? (order.down ? "descending" : "ascending") : null);
  }
  keyed(byId("routes").tBodies[0], listed, routeName, make, (row, it) => row.draw(it, link, chosen));
  say(byId("routes-count"), routes.length === 0 ? "" : count(routes.length));
  byId("routes").hidden = routes.length === 0;
  drawShowAll(routes.length);
  drawNothing(routes.length === 0, services);
}

/** Gives the focus to the row of this name, if it is shown. */
export function focus(name) {
  const rows = [...byId("routes").tBodies[0].rows];
  rows.find((row) => row.name === name)?.querySelector("a").focus({ preventScroll: true });
}

function top(sorted, chosen) {
  const first = sorted.slice(0, SHOWN);
  const open = sorted.slice(SHOWN).find((it) => routeName(it) === chosen);
  return open === undefined ? first : [...first, open];
}

/** Those of the same rank keep an order of their own, so that rows do not dance. */
function inOrder(routes) {
  const { column, down } = order;
  const compare = (one, other) => {
    const [a, b] = [column.of(one), column.of(other)];
    if (a === null || b === null) return (a === null) - (b === null);
    const rank = a < b ? -1 : a > b ? 1 : 0;
    return (down ? -rank : rank) || (routeName(one) < routeName(other) ? -1 : 1);
  };
  return [...routes].sort(compare);
}

function make(it) {
  const link = el("a", { "data-item": "" }, el("b", { class: "method" }), " ", el("span", { class: "path" }));
  const image = spark("Requests");
  const cells = COLUMNS.slice(3, -1).map((column) => [column, el("td", { class: "number" })]);
  const service = el("td", { class: "service" });
  const badge = el("td", {}, source(it.source));
  const row = el("tr", {}, el("th", { scope: "row" }, link), service, badge);
  row.append(...cells.map(([, cell]) => cell), el("td", { class: "last" }, image));
  const parts = { link, image, cells, service, badge };
  return Object.assign(row, { name: routeName(it), draw: (now, address, chosen) => drawRow(row, parts, now, address, chosen) });
}

function drawRow(row, parts, it, link, chosen) {
  const name = routeName(it);
  attribute(parts.link, "href", link(name));
  attribute(parts.link, "aria-current", name === chosen ? "true" : null);
  say(parts.link.firstChild, it.method);
  say(parts.link.lastChild, it.route);
  say(parts.service, it.service);
  if (parts.badge.textContent !== it.source) parts.badge.replaceChildren(source(it.source));
  for (const [column, cell] of parts.cells) say(cell, column.show(it));
  row.classList.toggle("failing", it.error_ratio > 0);
  row.classList.toggle("chosen", name === chosen);
  parts.image.draw(it.spark, it.spark_errors);
}

function drawShowAll(total) {
  const button = byId("show-all");
  button.hidden = total <= SHOWN;
  say(button, wantsAll ? `Show the first ${SHOWN} only` : `Show all ${count(total)} routes`);
}

function drawNothing(isEmpty, [service]) {
  byId("nothing-yet").hidden = !isEmpty;
  if (!isEmpty || service === undefined) return;
  const command = `curl ${service.listen}/`;
  say(byId("first-request"), command);
  if (byId("first-copy").childElementCount === 0) byId("first-copy").append(copyButton("Copy", () => command));
}
