// Requests an overview every second and renders it.
import { element } from "./dom.js";
import { bubble } from "./messages.js";

const REFRESH_MILLISECONDS = 1000;
const LIST_LENGTH = 20;

const byId = (id) => document.getElementById(id);

const formatted = (number) => number.toLocaleString("en");

function figure(name, value) {
  return element("div", "figure", element("strong", "", value), element("span", "", name));
}

function renderFigures(overview) {
  const used = formatted(overview.quota_used);
  byId("figures").replaceChildren(
    figure("followers", formatted(overview.users.following)),
    figure("requests", formatted(overview.request_count)),
    figure("deliveries", formatted(overview.deliveries)),
    figure("recipients", formatted(overview.recipients)),
    figure("messages this month", overview.quota === null ? used : `${used} / ${formatted(overview.quota)}`),
  );
}

function renderRequests(requests) {
  const rows = Object.entries(requests).map(([endpoint, countsByStatus]) => {
    const chips = Object.entries(countsByStatus).map(([status, count]) =>
      element("span", `chip s${status[0]}`, `${status} × ${formatted(count)}`));
    return element("tr", "", element("td", "endpoint", endpoint), element("td", "", ...chips));
  });
  byId("requests").replaceChildren(...rows);
}

let renderedDeliveries = "";

function renderMessages(deliveries) {
  const ids = JSON.stringify(deliveries.map((delivery) => [delivery.request_id, delivery.line_id]));
  if (ids === renderedDeliveries) return; // rendering again would make the pictures flicker
  renderedDeliveries = ids;
  const cards = deliveries.map((delivery) => element("article", "delivery",
    element("h3", "",
      element("span", "name", delivery.name),
      element("span", "method", delivery.endpoint.split("/").pop()),
      element("time", "", delivery.at.slice(11, 19))),
    ...delivery.messages.map(bubble)));
  byId("messages").replaceChildren(...(cards.length ? cards : [element("p", "quiet", "No messages delivered yet.")]));
}

function renderUsers(users) {
  byId("user-counts").textContent =
    `${formatted(users.following)} following · ${formatted(users.blocked)} blocked · ${formatted(users.left)} left`;
  const rows = users.listed.map((user) => element("li", "",
    element("span", "name", user.name),
    element("span", `chip ${user.state}`, user.state),
    element("code", "", user.line_id)));
  const more = users.following + users.blocked + users.left - users.listed.length;
  if (more > 0) rows.push(element("li", "quiet", `and ${formatted(more)} more`));
  byId("users").replaceChildren(...rows);
}

function renderConnection(className, text) {
  byId("connection").textContent = text;
  byId("connection").className = className;
}

async function refresh() {
  try {
    const response = await fetch(`/sandbox/overview?limit=${LIST_LENGTH}`);
    if (!response.ok) throw new Error(`status ${response.status}`);
    const overview = await response.json();
    byId("account").textContent = `${overview.account.name} ${overview.account.basic_id}`;
    byId("clock").textContent = overview.now.replace("T", " ").slice(0, 19) + " UTC";
    renderFigures(overview);
    renderRequests(overview.requests);
    renderMessages(overview.last_deliveries);
    renderUsers(overview.users);
    renderConnection("connected", "connected");
  } catch (error) {
    renderConnection("disconnected", `the sandbox does not respond (${error.message})`);
  }
  setTimeout(refresh, REFRESH_MILLISECONDS);
}

refresh();
