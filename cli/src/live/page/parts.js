// What the page is made of: elements, texts that are safe to look at, numbers with units, sparklines, lists
// whose rows stay, copy buttons. It knows nothing of requests and asks the server for nothing.

const SVG = "http://www.w3.org/2000/svg";

// Controls, what turns the direction of writing, what has no width, and halves of characters: whoever
// sends a request may put them into its path, and here they are looked at.
const UNSEEN =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{e0000}-\u{e0fff}]|\p{Surrogate}/gu;

/** The text with every character that cannot be seen written as `\u202e`. */
export function shown(text) {
  const escaped = (mark) => `\\u${mark.codePointAt(0).toString(16).padStart(4, "0")}`;
  return String(text).replace(UNSEEN, escaped);
}

/** An element. Texts among its children are put in as texts, and nothing is ever parsed as HTML. */
export function el(name, attributes = {}, ...children) {
  return grown(document.createElement(name), attributes, children);
}

/** The same for what stands in an SVG image. */
export function svg(name, attributes = {}, ...children) {
  return grown(document.createElementNS(SVG, name), attributes, children);
}

function grown(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) attribute(node, name, value);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Sets an attribute if it has changed; null takes it away. */
export function attribute(node, name, value) {
  if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

/** Sets the text of a node if it has changed, so that a selection in it survives. */
export function say(node, text) {
  const said = shown(text);
  if (node.textContent !== said) node.textContent = said;
}

export const byId = (id) => document.getElementById(id);

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const absent = (value) => value === null || value === undefined || !Number.isFinite(value);

/** 12,345 */
export const count = (value) => (absent(value) ? "–" : whole.format(value));

/** 3.2 or 12,345: a mean number */
export const mean = (value) => (absent(value) || value >= 100 ? count(value) : trimmed(value, value < 10 ? 2 : 1));

/** 12.3/s */
export const rate = (value) => (absent(value) ? "–" : `${mean(value)}/s`);

/** 1.2 % */
export function ratio(value) {
  if (absent(value)) return "–";
  if (value > 0 && value < 0.001) return "<0.1 %";
  if (value > 0.999 && value < 1) return ">99.9 %";
  return `${value === 1 ? 100 : trimmed(value * 100, 1)} %`;
}

/** 812 µs, 12.3 ms, 1.24 s, 2 min 5 s */
export function duration(ms) {
  if (absent(ms)) return "–";
  if (ms < 0.9995) return `${whole.format(ms * 1000)} µs`;
  if (ms < 999.5) return `${ms < 9.995 ? ms.toFixed(2) : ms < 99.95 ? ms.toFixed(1) : whole.format(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(ms < 9_995 ? 2 : 1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** now, 12 s ago, 3 min ago */
export function ago(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 1) return "now";
  if (seconds < 60) return `${seconds} s ago`;
  return seconds < 3600 ? `${Math.floor(seconds / 60)} min ago` : `${Math.floor(seconds / 3600)} h ago`;
}

/** 14:03:22 */
export const clock = (ms) => new Date(ms).toTimeString().slice(0, 8);

function trimmed(value, digits) {
  return value === 0 ? "0" : value.toFixed(digits);
}

/** A sparkline with nothing in it yet. */
export function spark(label) {
  const all = svg("path", { class: "spark-all" });
  const errors = svg("path", { class: "spark-errors" });
  const title = svg("title");
  const image = svg("svg", { class: "spark", viewBox: "0 0 60 20", preserveAspectRatio: "none", role: "img" });
  image.append(title, all, errors);
  return Object.assign(image, { draw: (counts, failed) => drawn({ title, all, errors, label }, counts, failed) });
}

/** Draws it, and gives its highest value. */
function drawn(parts, counts, failed) {
  const highest = Math.max(1, ...counts);
  attribute(parts.all, "d", steps(counts, highest));
  attribute(parts.errors, "d", steps(failed, highest));
  say(parts.title, `${parts.label}: at most ${count(Math.max(0, ...counts))} a second in the last minute`);
  return Math.max(0, ...counts);
}

/** One step for each second. What is more than nothing is always seen. */
function steps(counts, highest) {
  if (!counts.some((each) => each > 0)) return null;
  const top = (each) => (each > 0 ? 20 - Math.max(1.5, (each / highest) * 19) : 20);
  return `M0 20${counts.map((each) => `V${top(each).toFixed(1)}h1`).join("")}V20z`;
}

const rows = new WeakMap();

/**
 * Makes the children of a node those of the items: one that is there already stays, is brought up to date
 * and moved, and keeps the focus.
 */
export function keyed(parent, items, key, make, update) {
  const held = document.activeElement;
  const old = rows.get(parent) ?? new Map();
  const now = new Map();
  let place = parent.firstElementChild;
  for (const item of items) {
    const name = key(item);
    if (now.has(name)) continue;
    const row = old.get(name) ?? make(item);
    now.set(name, row);
    old.delete(name);
    update(row, item);
    if (row === place) place = place.nextElementSibling;
    else parent.insertBefore(row, place);
  }
  for (const row of old.values()) row.remove();
  rows.set(parent, now);
  if (held !== document.activeElement && held?.isConnected) held.focus({ preventScroll: true });
}

/** A button that copies what `text` gives then. */
export function copyButton(label, text, title = label) {
  const button = el("button", { type: "button", class: "copy", title }, label);
  button.addEventListener("click", async () => {
    const done = await copied(text());
    button.textContent = done ? "Copied" : "Could not copy";
    setTimeout(() => (button.textContent = label), 1500);
  });
  return button;
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedByHand(text);
  }
}

/** For browsers that refuse the clipboard, such as on a name that is not this machine's. */
function copiedByHand(text) {
  const held = document.activeElement;
  const area = el("textarea", { class: "unseen", "aria-hidden": "true" });
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  held?.focus({ preventScroll: true });
  return done;
}
