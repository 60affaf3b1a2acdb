// The drawer: what a search has found, or one request with its trace as a waterfall, its route's explanation
// and its log line. The address says what is open, so that a link opens the same.

import { attribute, byId, clock, copyButton, count, duration, el, say, shown, svg } from "/parts.js";
import { drawList, requestName, status, trouble } from "/requests.js";
import { source } from "/routes.js";

/** Services are told apart by so many colours, in their order. */
const COLOURS = 6;
const DEEPEST = 12;
/** Spans come after their request, in batches: when to look for more of them. */
const LOOKS_MS = [1_500, 3_000, 6_000];
const SILENT = "Sightline does not answer.";
const FROM = { sightline: "Sightline", app: "app", line: "log line" };
const WHENCE = {
  sightline: "Measured by Sightline before the app.",
  app: "Exported by the app itself.",
  line: "No span has come: made of the access-log line.",
};

let opened = 0;
let looking = null;

/** Closes it. */
export function close() {
  opened += 1;
  clearTimeout(looking);
  byId("drawer").hidden = true;
  byId("drawer").replaceChildren();
}

/** Shows what a search finds. `ask` asks the server; `open` makes the address of a request. */
export async function showSearch(text, ask, open, leave) {
  const mine = begin();
  const title = `Search for ${shown(text)}`;
  const body = frame(title, [], leave, mine);
  const answer = await ask(`/api/search?q=${encodeURIComponent(text)}`);
  if (mine !== opened) return;
  const found = answer?.found ?? [];
  if (found.length === 1) {
    await showOne({ one: found[0], id: text, isThere: true, ask, open, leave, mine });
  } else if (found.length === 0) {
    const why = "No request ID or trace ID that is still kept begins so.";
    body.append(el("p", { class: "nothing" }, answer === null ? SILENT : why));
  } else {
    const list = el("ul", { class: "requests", "data-list": "" });
    drawList(list, found.map((it) => it.request), { now_ms: Date.now() }, open);
    body.append(list);
    if (answer.more) body.append(el("p", { class: "nothing" }, "There are more: write more of the ID."));
  }
}

/** Shows one request: the one with this span among those that the ID finds, or else the first. */
export async function showRequest({ id, span }, ask, open, leave) {
  const mine = begin();
  frame(`Request ${shown(id)}`, [], leave, mine);
  const answer = await ask(`/api/search?q=${encodeURIComponent(id)}`);
  if (mine !== opened) return;
  const found = (answer?.found ?? []).filter(({ request }) => request.request_id === id || request.trace_id === id);
  const one = found.find(({ request }) => request.span_id === span) ?? found[0];
  await showOne({ one, id, isThere: answer !== null, ask, open, leave, mine });
}

/** Shows what a search has found, with its trace; or the trace alone, if the ID is that of one without a line. */
async function showOne({ one, id, isThere, ask, open, leave, mine }) {
  const traceId = one?.request.trace_id || (isTraceId(id) ? id : null);
  const trace = traceId === null ? null : await ask(`/api/trace/${encodeURIComponent(traceId)}`);
  if (mine !== opened) return;
  if (one === undefined && !trace?.spans) {
    const why = isThere ? "It is not kept any more." : SILENT;
    frame(`Request ${shown(id)}`, [], leave, mine).append(el("p", { class: "nothing" }, why));
    return;
  }
  const request = one?.request ?? trace.requests?.[0] ?? { trace_id: traceId };
  drawRequest({ one, request, trace, open, leave, mine });
  lookAgain({ request, trace, ask, mine });
}

const isTraceId = (id) => /^[0-9a-f]{32}$/.test(id);

function begin() {
  close();
  return opened;
}

/** An empty drawer with its title and its button; what is returned takes the content. */
function frame(title, facts, leave, mine) {
  const drawer = byId("drawer");
  const leaving = el("button", { type: "button", class: "close", title: "Close (Esc)", "aria-label": "Close" }, "✕");
  leaving.addEventListener("click", leave);
  const body = el("div", { class: "drawer-body" });
  const heading = el("h2", { id: "drawer-title" }, ...(Array.isArray(title) ? title : [title]));
  drawer.replaceChildren(el("header", {}, heading, leaving, ...facts), body);
  drawer.hidden = false;
  const isTyping = document.activeElement === byId("search");
  if (drawer.dataset.shown !== String(mine) && !isTyping) drawer.focus({ preventScroll: true });
  drawer.dataset.shown = mine;
  return body;
}

function drawRequest({ one, request, trace, open, leave, mine }) {
  const method = el("b", { class: "method" });
  const path = el("span", { class: "path" });
  say(method, request.method ?? "");
  say(path, request.path ?? "Trace");
  const known = request.status === undefined ? [] : [status(request), " "];
  const body = frame([...known, method, " ", path], [facts(request), ids(request)], leave, mine);
  body.append(el("div", { id: "waterfall" }));
  drawWaterfall(trace, one, request);
  others(body, trace, request, open);
  if (one === undefined) return;
  body.append(el("div", { class: "beside" }, explanation(one), line(one.line)));
}

function facts(request) {
  const took = el("b", {}, duration(request.duration_ms));
  const list = el("p", { class: "facts" }, took);
  if (request.ttfb_ms !== null && request.ttfb_ms !== undefined) list.append(` · first byte after ${duration(request.ttfb_ms)}`);
  for (const text of [request.service, request.stream, request.started_ms && clock(request.started_ms)]) {
    if (text) list.append(` · ${shown(text)}`);
  }
  const wrong = trouble(request);
  if (wrong) list.append(" · ", el("span", { class: "wrong" }, shown(wrong)));
  return list;
}

function ids(request) {
  const list = el("p", { class: "ids" });
  for (const [label, id] of [["Request ID", request.request_id], ["Trace ID", request.trace_id]]) {
    if (!id) continue;
    list.append(el("span", {}, `${label} `, el("code", {}, shown(id)), copyButton("Copy", () => id, `Copy the ${label}`)));
  }
  return list;
}

/** The other requests of the trace. */
function others(body, trace, request, open) {
  const rest = (trace?.requests ?? []).filter((it) => requestName(it) !== requestName(request));
  if (rest.length === 0) return;
  const list = el("ul", { class: "requests", "data-list": "" });
  drawList(list, rest, { now_ms: Date.now() }, open);
  body.append(el("h3", {}, "Other requests of this trace"), list);
}

function explanation({ request, explanation: steps }) {
  const route = el("p", {}, el("code", {}, shown(request.route ?? "–")), " ", source(request.route_source));
  const list = el("ol", {}, ...(steps ?? []).map((step) => el("li", {}, shown(step))));
  return el("section", { class: "explanation" }, el("h3", {}, "Why this route"), route, list);
}

function line(fields) {
  const copy = copyButton("Copy", () => JSON.stringify(fields), "Copy the log line");
  const text = el("pre", { class: "line", tabindex: "0" });
  text.append(...json(fields, 0));
  return el("section", { class: "log" }, el("h3", {}, "Log line ", copy), text);
}

/** A value as JSON, coloured, one field to a line. */
function json(value, depth) {
  if (value === null || typeof value !== "object") {
    return [el("span", { class: `json-${value === null ? "null" : typeof value}` }, shown(JSON.stringify(value) ?? "null"))];
  }
  const [begins, ends] = Array.isArray(value) ? "[]" : "{}";
  const entries = Object.entries(value);
  if (entries.length === 0) return [begins + ends];
  const inner = "  ".repeat(depth + 1);
  const parts = entries.flatMap(([key, each], index) => [
    `${index === 0 ? "" : ","}\n${inner}`,
    ...(Array.isArray(value) ? [] : [el("span", { class: "json-key" }, shown(JSON.stringify(key))), ": "]),
    ...json(each, depth + 1),
  ]);
  return [begins, ...parts, `\n${"  ".repeat(depth)}${ends}`];
}

/** Looks for spans that come later, as long as the request is young. */
function lookAgain({ request, trace, ask, mine }, look = 0) {
  if (look >= LOOKS_MS.length || !request.trace_id || Date.now() - (request.started_ms ?? 0) > 60_000) return;
  looking = setTimeout(async () => {
    const newer = await ask(`/api/trace/${encodeURIComponent(request.trace_id)}`);
    if (mine !== opened) return;
    const hasMore = newer?.spans && JSON.stringify(newer.spans) !== JSON.stringify(trace?.spans);
    if (hasMore) drawWaterfall(newer, undefined, request);
    lookAgain({ request, trace: hasMore ? newer : trace, ask, mine }, look + 1);
  }, LOOKS_MS[look]);
}

/** The spans of a trace, or at least the one that the search has found. */
function drawWaterfall(trace, one, request) {
  const place = byId("waterfall");
  const alone = one?.span ? [{ ...one.span, depth: 0, start_us: 0 }] : [];
  const spans = trace?.spans ?? alone;
  if (spans.length === 0) {
    place.replaceChildren(el("p", { class: "nothing" }, "No span of this request is kept."));
    return;
  }
  const from = Math.min(0, ...spans.map((span) => span.start_us));
  const until = Math.max(...spans.map((span) => span.start_us + span.duration_us), trace?.duration_us ?? 0);
  const scale = { from, length: Math.max(1, until - from), services: [...new Set(spans.map((span) => span.service))] };
  const rows = spans.map((span) => row(span, scale, span.span_id === request.span_id));
  const note = trace?.left_out > 0 ? el("p", { class: "nothing" }, `${count(trace.left_out)} more spans are left out.`) : null;
  place.replaceChildren(legend(spans, scale), axis(scale), el("ul", { class: "spans", "data-list": "" }, ...rows), ...(note ? [note] : []));
}

const colour = (service, { services }) => `service-${services.indexOf(service) % COLOURS}`;

function legend(spans, scale) {
  const services = scale.services.map((service) =>
    el("span", { class: `key ${colour(service, scale)}` }, swatch("sightline"), shown(service ?? "–")),
  );
  const kinds = Object.keys(FROM).filter((from) => spans.some((span) => span.from === from));
  const sources = kinds.map((from) => {
    const spoken = { sightline: "measured by Sightline", app: "the app's own", line: "from the log line" }[from];
    return el("span", { class: "key", title: WHENCE[from] }, swatch(from), spoken);
  });
  const spoken = `${count(spans.length)} ${spans.length === 1 ? "span" : "spans"}, ${duration(scale.length / 1000)}`;
  return el("p", { class: "legend" }, el("b", {}, spoken), ...services, ...sources);
}

function swatch(from) {
  const image = svg("svg", { class: "swatch", viewBox: "0 0 14 10", width: 14, height: 10, "aria-hidden": "true" });
  image.append(svg("rect", { class: `bar from-${from}`, x: 1, y: 1, width: 12, height: 8, rx: 2 }));
  return image;
}

function axis({ length }) {
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => el("span", {}, part === 0 ? "0" : duration((length * part) / 1000)));
  return el("div", { class: "axis", "aria-hidden": "true" }, el("span"), el("div", {}, ...ticks));
}

function row(span, scale, isOpen) {
  const kind = FROM[span.from] ? span.from : "app";
  const name = el("span", { class: `name depth-${Math.min(span.depth ?? 0, DEEPEST)}`, title: shown(span.name) });
  name.append(el("span", { class: "path" }, shown(span.name)));
  if (span.error) name.append(el("span", { class: "wrong" }, "error"));
  if (kind !== "sightline") name.append(el("span", { class: "badge", title: WHENCE[kind] }, FROM[kind]));
  const took = el("span", { class: "took" }, duration(span.duration_us / 1000));
  const button = el("button", { type: "button", "data-item": "", "aria-expanded": isOpen }, name, bar(span, kind, scale), took);
  const item = el("li", { class: colour(span.service, scale) }, button);
  if (isOpen) item.append(details(span, kind));
  button.addEventListener("click", () => {
    const opens = item.lastChild === button;
    if (opens) item.append(details(span, kind));
    else item.lastChild.remove();
    attribute(button, "aria-expanded", String(opens));
  });
  return item;
}

function bar(span, kind, { from, length }) {
  const at = (us) => `${((Math.min(Math.max(us - from, 0), length) / length) * 100).toFixed(2)}%`;
  const image = svg("svg", { class: "track", "aria-hidden": "true" });
  for (const part of [0, 25, 50, 75, 100]) image.append(svg("line", { class: "grid", x1: `${part}%`, x2: `${part}%`, y1: 0, y2: 22 }));
  const part = Math.max((span.duration_us / length) * 100, 0.35);
  const classes = `bar from-${kind}${span.error ? " failed" : ""}`;
  const start = Math.min(Math.max(((span.start_us - from) / length) * 100, 0), 100 - part);
  image.append(svg("rect", { class: classes, x: `${start.toFixed(2)}%`, y: 5, width: `${part.toFixed(2)}%`, height: 12, rx: 2 }));
  for (const event of span.events ?? []) image.append(svg("circle", { class: "event", cx: at(event.at_us), cy: 11, r: 3 }));
  return image;
}

/** What is told of a span once it is chosen. */
function details(span, kind) {
  const rows = [
    ["service", span.service],
    ["kind", span.kind],
    ["from", WHENCE[kind]],
    ["starts at", duration(span.start_us / 1000)],
    ["takes", duration(span.duration_us / 1000)],
    ["span_id", span.span_id],
    ["parent_span_id", span.parent_span_id],
    ["clock", span.shifted_us > 0 ? `${duration(span.shifted_us / 1000)} behind its parent's, moved` : null],
    ...Object.entries(span.attributes ?? {}),
  ];
  const events = (span.events ?? []).flatMap((event) => [
    [`event ${event.name}`, `at ${duration(event.at_us / 1000)}`],
    ...Object.entries(event.attributes ?? {}),
  ]);
  const told = [...rows, ...events].filter(([, value]) => value !== null && value !== undefined);
  const text = (value) => shown(typeof value === "object" ? JSON.stringify(value) : value);
  return el("dl", { class: "details" }, ...told.map(([key, value]) => el("div", {}, el("dt", {}, shown(key)), el("dd", {}, text(value)))));
}
