"use strict";
// Check and backtest a filter. The token stays in its field: it is kept nowhere.
const field = (id) => document.getElementById(id);
const make = (name, text, kind) => {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  if (kind) element.className = kind;
  return element;
};
function table(heads, rows) {
  const made = make("table");
  const head = make("tr");
  heads.forEach((text) => head.append(make("th", text)));
  made.append(head);
  rows.forEach((cells) => {
    const row = make("tr");
    cells.forEach((cell) => {
      const box = make("td");
      box.append(cell);
      row.append(box);
    });
    made.append(row);
  });
  return made;
}
async function ask(path) {
  const headers = { "Content-Type": "application/json" };
  const token = field("token").value.trim();
  if (token) headers.Authorization = "Bearer " + token;
  const body = JSON.stringify({ select: field("select").value });
  const answer = await fetch(path, { method: "POST", headers, body });
  const told = await answer.json();
  if (!answer.ok) {
    const place = told.line ? `line ${told.line}, column ${told.column}: ` : "";
    throw new Error(place + told.detail);
  }
  return told;
}
function judged(verdict) {
  if (!verdict.is_accepted) {
    return [make("p", `Refused, line ${verdict.line}, column ${verdict.column}: ${verdict.reason}`, "bad")];
  }
  const parts = [make("p", `Accepted for ${verdict.surveys.join(", ")}.`, "good")];
  const columns = verdict.columns.length ? verdict.columns.join(", ") : "the whole alert";
  parts.push(make("p", `Sends ${columns}.`));
  return parts;
}
function tested(found) {
  const share = (100 * found.share).toFixed(2);
  const parts = [make("p", `${found.wanted} of ${found.alerts} alerts (${share} %), ${Math.round(found.per_night)} per night.`, "good")];
  parts.push(table(["Survey", "Night", "Alerts", "Wanted"],
    found.nights.map((night) => [night.survey, String(night.night), String(night.alerts), String(night.wanted)])));
  if (found.examples.length) {
    parts.push(make("h3", "Examples"));
    parts.push(table(["Object", "Alert", "MJD (TAI)"], found.examples.slice(0, 20).map((one) => {
      const link = make("a", one.object_id);
      link.href = "/objects/" + encodeURIComponent(one.object_id) + "?survey=" + encodeURIComponent(one.survey);
      return [link, one.alert_id, one.mjd_tai.toFixed(4)];
    })));
  }
  return parts;
}
async function show(path, parts) {
  const buttons = [field("check"), field("backtest")];
  buttons.forEach((button) => { button.disabled = true; });
  field("answer").replaceChildren(make("p", "Asking…"));
  try {
    field("answer").replaceChildren(...parts(await ask(path)));
  } catch (error) {
    field("answer").replaceChildren(make("p", error.message, "bad"));
  }
  buttons.forEach((button) => { button.disabled = false; });
}
field("try").addEventListener("submit", (event) => {
  event.preventDefault();
  show("/api/v1/filters/check", judged);
});
field("backtest").addEventListener("click", () => {
  const nights = Number.parseInt(field("nights").value, 10) || 0;
  show("/api/v1/filters/backtest?nights=" + nights, tested);
});
