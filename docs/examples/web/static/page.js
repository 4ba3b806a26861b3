// The page: rows arrive by server-sent events. Stop, another listing, or closing the tab also end the listing on the
// server. All text of meetings is set as text, never as HTML.

const at = (id) => document.getElementById(id);
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const hour = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const number = new Intl.NumberFormat();

let source = null; // the active listing
let days = new Map(); // the lists of meetings by day
let waiting = []; // rows that arrived since the last frame

function make(tag, about = {}, ...children) {
  const element = Object.assign(document.createElement(tag), about);
  element.append(...children);
  return element;
}

function listOf(start) {
  const key = start ? start.toDateString() : "";
  if (!days.has(key)) {
    const list = make("ul", { className: "meetings" });
    const count = make("small");
    const heading = make("h3", {}, start ? day.format(start) : "Without a time", count);
    const section = make("section", { className: "day" }, heading, list);
    section.dataset.time = start ? new Date(key).getTime() : Infinity;
    const later = [...days.values()].map((one) => one.section).filter((one) => +one.dataset.time > +section.dataset.time);
    later.sort((a, b) => a.dataset.time - b.dataset.time);
    at("list").insertBefore(section, later[0] ?? null);
    days.set(key, { section, list, count });
  }
  return days.get(key);
}

function show(meeting, how = "fresh") {
  const start = meeting.start ? new Date(meeting.start) : null;
  const { list, count } = listOf(start);
  const recurs = meeting.type === 3 || meeting.type === 8;
  const button = make(
    "button",
    { type: "button", className: recurs ? "meeting recurring" : "meeting" },
    make("time", { dateTime: meeting.start ?? "" }, start ? hour.format(start) : "–", make("small", {}, meeting.duration ? `${meeting.duration} min` : "\u00a0")),
    make("i"),
    make("b", {}, meeting.topic ?? "(no title)"),
    make("span", {}, ...(recurs ? [make("span", { className: "tag" }, "recurring")] : []), meeting.id),
  );
  const item = make("li", { className: how }, button);
  item.dataset.time = start ? start.getTime() : 0;
  button.addEventListener("click", () => unfold(item, meeting));
  const later = [...list.children].find((one) => +one.dataset.time > +item.dataset.time);
  list.insertBefore(item, later ?? null);
  count.textContent = list.children.length === 1 ? "1 meeting" : `${list.children.length} meetings`;
  return item;
}

async function unfold(item, meeting) {
  const open = item.querySelector(".more");
  if (open) return open.remove();
  const more = make("div", { className: "more" }, "…");
  item.append(more);
  const answer = await fetch(`/api/meetings/${meeting.id}`);
  const said = await answer.json();
  if (!answer.ok) return (more.textContent = said.message);
  const lines = [said.agenda || "No agenda.", said.join_url, said.created && `Created ${new Date(said.created).toLocaleString()}`];
  more.replaceChildren(...lines.filter(Boolean).map((line) => make("div", {}, line)));
  refresh();
}

function flush() {
  for (const meeting of waiting.splice(0)) show(meeting);
}

function progress(said) {
  for (const name of ["rows", "pages", "calls", "restarts"]) at(name).textContent = number.format(said[name]);
  document.querySelector(".restarts").classList.toggle("some", said.restarts > 0);
  at("bar").max = Math.max(said.total ?? 1, said.rows, 1);
  at("bar").value = said.rows;
}

function say(text, bad = false) {
  at("status").textContent = text;
  at("status").classList.toggle("bad", bad);
}

function stop() {
  source?.close(); // the server notices, and ends the listing
  source = null;
  at("run").textContent = "List";
  at("run").classList.remove("stop");
}

function list() {
  stop();
  days = new Map();
  waiting = [];
  at("list").replaceChildren();
  progress({ rows: 0, pages: 0, calls: 0, restarts: 0, total: null });
  const filled = [...new FormData(at("filters"))].filter(([, value]) => value !== "");
  source = new EventSource(`/api/meetings?${new URLSearchParams(filled)}`);
  at("run").textContent = "Stop";
  at("run").classList.add("stop");
  say("Waiting for the first page …");
  let latest = null;
  source.addEventListener("meeting", (event) => {
    waiting.push(JSON.parse(event.data));
    if (waiting.length === 1) requestAnimationFrame(flush);
  });
  source.addEventListener("progress", (event) => {
    if (!latest) requestAnimationFrame(() => { progress(latest); latest = null; });
    latest = JSON.parse(event.data);
    const again = latest.restarts ? ` Expired page tokens: ${latest.restarts}; rows that came before are skipped.` : "";
    say(`Rows are coming.${again}`);
  });
  source.addEventListener("done", (event) => {
    const said = JSON.parse(event.data);
    flush();
    stop();
    setTimeout(() => progress(said));
    say(said.rows ? `All there: each of ${number.format(said.rows)} meetings once.` : "There are no meetings.");
    if (!said.rows) at("list").replaceChildren(make("p", { id: "empty" }, "No meetings."));
    refresh();
  });
  source.addEventListener("failed", (event) => {
    stop();
    say(JSON.parse(event.data).message, true);
  });
  source.addEventListener("error", () => {
    if (!source) return; // EventSource reports the end of a listing as an error, which was handled above
    stop();
    say("The connection was lost.", true);
  });
}

function toast(text) {
  at("toast").textContent = text;
  at("toast").hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => (at("toast").hidden = true), 4000);
}

async function create(event) {
  event.preventDefault();
  const form = new FormData(at("create"));
  const meeting = Object.fromEntries(form);
  meeting.start = new Date(meeting.start).toISOString();
  meeting.duration = Number(meeting.duration);
  meeting.waiting_room = form.has("waiting_room");
  at("send").disabled = true;
  try {
    const answer = await fetch("/api/meetings", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(meeting),
    });
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.message ?? JSON.stringify(said.detail));
    at("dialog").close();
    at("create").reset();
    at("empty")?.remove();
    show(said, "made").scrollIntoView({ block: "center", behavior: "smooth" });
    toast(`“${said.topic}” is in the calendar.`);
  } catch (error) {
    at("wrong").textContent = error.message;
    at("wrong").hidden = false;
  } finally {
    at("send").disabled = false;
    refresh();
  }
}

async function refresh() {
  const answer = await fetch("/api/state");
  if (!answer.ok) return;
  const said = await answer.json();
  const ring = document.querySelector(".ring");
  at("left").textContent = said.remaining ?? "–";
  at("of").textContent = said.limit ? `of ${number.format(said.limit)} calls left` : "calls left";
  const part = said.limit && said.remaining !== null ? said.remaining / said.limit : 0;
  ring.style.setProperty("--part", part);
  ring.classList.toggle("low", part < 0.2);
  const wait = said.resets_at ? Math.max(0, Math.ceil((new Date(said.resets_at) - Date.now()) / 1000)) : 0;
  at("resets").textContent = wait ? `more in ${wait} s` : "\u00a0";
  for (const name of ["calls", "retries", "restarts"]) at(`all-${name}`).textContent = number.format(said[name]);
  at("waiting").textContent = number.format(said.waiting);
}

at("filters").addEventListener("submit", (event) => {
  event.preventDefault();
  if (source) {
    stop();
    say("Stopped. The request in flight was cancelled.");
  } else list();
});
at("new").addEventListener("click", () => {
  const soon = new Date(Date.now() + 3600_000);
  soon.setMinutes(0, 0, 0);
  const local = new Date(soon - soon.getTimezoneOffset() * 60_000);
  at("create").elements.start.value ||= local.toISOString().slice(0, 16);
  at("wrong").hidden = true;
  at("dialog").showModal();
});
at("cancel").addEventListener("click", () => at("dialog").close());
at("create").addEventListener("submit", create);
addEventListener("pagehide", stop);
setInterval(refresh, 1000);
refresh();
