// Asks for an overview every second and shows it.
import { element } from "./dom.js";
import { bubble } from "./messages.js";

const PAUSE_MILLISECONDS = 1000;
const FEW = 20;

const place = (id) => document.getElementById(id);

const number = (value) => value.toLocaleString("en");

function figure(name, value) {
  return element("div", "figure", element("strong", "", value), element("span", "", name));
}

function showFigures(overview) {
  const quota = overview.quota === null ? number(overview.quota_used) : `${number(overview.quota_used)} / ${number(overview.quota)}`;
  place("figures").replaceChildren(
    figure("followers", number(overview.people.following)),
    figure("requests", number(overview.request_count)),
    figure("deliveries", number(overview.deliveries)),
    figure("people reached", number(overview.recipients)),
    figure("messages this month", quota),
  );
}

function showRequests(requests) {
  const rows = Object.entries(requests).map(([endpoint, answers]) => {
    const chips = Object.entries(answers).map(([status, count]) =>
      element("span", `chip s${status[0]}`, `${status} × ${number(count)}`));
    return element("tr", "", element("td", "endpoint", endpoint), element("td", "", ...chips));
  });
  place("requests").replaceChildren(...rows);
}

let newestShown = "";

function showMessages(last) {
  const newest = JSON.stringify(last.map((delivery) => [delivery.request_id, delivery.line_id]));
  if (newest === newestShown) return; // pictures would flicker
  newestShown = newest;
  const cards = last.map((delivery) => element("article", "delivery",
    element("h3", "",
      element("span", "name", delivery.name),
      element("span", "way", delivery.endpoint.split("/").pop()),
      element("time", "", delivery.at.slice(11, 19))),
    ...delivery.messages.map(bubble)));
  place("messages").replaceChildren(...(cards.length ? cards : [element("p", "quiet", "Nothing has been delivered yet.")]));
}

function showPeople(people) {
  place("people-counts").textContent =
    `${number(people.following)} follow · ${number(people.blocked)} blocked · ${number(people.left)} left`;
  const rows = people.some.map((person) => element("li", "",
    element("span", "name", person.name),
    element("span", `chip ${person.state}`, person.state),
    element("code", "", person.line_id)));
  const more = people.following + people.blocked + people.left - people.some.length;
  if (more > 0) rows.push(element("li", "quiet", `and ${number(more)} more`));
  place("people").replaceChildren(...rows);
}

async function refresh() {
  try {
    const answer = await fetch(`/sandbox/overview?limit=${FEW}`);
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const overview = await answer.json();
    place("account").textContent = `${overview.account.name} ${overview.account.basic_id}`;
    place("clock").textContent = overview.now.replace("T", " ").slice(0, 19) + " UTC";
    showFigures(overview);
    showRequests(overview.requests);
    showMessages(overview.last);
    showPeople(overview.people);
    place("state").textContent = "live";
    place("state").className = "live";
  } catch (error) {
    place("state").textContent = `the sandbox does not answer (${error.message})`;
    place("state").className = "dead";
  }
  setTimeout(refresh, PAUSE_MILLISECONDS);
}

refresh();
