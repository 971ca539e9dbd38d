"use strict";
// The counts of nights, anew every five seconds.
async function refresh() {
  try {
    const answer = await fetch("/api/v1/statistics/nights?limit=10");
    const body = document.querySelector("#nights tbody");
    if (!answer.ok || body === null) return;
    const rows = (await answer.json()).map((night) => {
      const row = document.createElement("tr");
      const cells = [night.date, night.survey, night.alerts.toLocaleString("en"), night.is_packed ? "packed" : "live"];
      cells.forEach((text, place) => {
        const cell = document.createElement("td");
        cell.textContent = text;
        if (place === 2) cell.className = "number";
        row.append(cell);
      });
      return row;
    });
    body.replaceChildren(...rows);
  } catch (error) {
    console.warn("counts are not refreshed", error);
  }
}
setInterval(refresh, 5000);
