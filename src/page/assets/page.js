// The page of the admin listener, in the browser: asks for the state every two seconds while it is looked at, and for
// what is searched. Text of the cluster goes into the page as text only, never as markup.

import { drawTimeline, nameOf } from './timeline.js';

const POLL_MS = 2_000;
const byId = (id) => document.getElementById(id);

function element(name, text, className) {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function fill(table, rows, classOf = () => '') {
  const body = byId(table).querySelector('tbody');
  body.replaceChildren(
    ...rows.map((cells, at) => {
      const row = element('tr', '', classOf(at));
      row.append(...cells.map((cell) => (typeof cell === 'object' ? cell : element('td', cell))));
      return row;
    }),
  );
}

const number = (value) => element('td', String(value), 'number');
const seconds = (ms) => (ms === undefined ? '' : `${(ms / 1000).toFixed(1)} s`);
const time = (ms) => new Date(ms).toISOString().slice(11, 19);
const path = ({ kind, namespace, name }) => `${kind} ${namespace ? `${namespace}/` : ''}${name}`;

function show(state) {
  const summary = byId('summary');
  const staleness = state.stalenessMs === undefined ? '' : `, stale by ${seconds(state.stalenessMs)}`;
  summary.textContent = `${state.ready ? 'ready' : 'not ready'}, ${state.version}${staleness}`;
  summary.className = state.ready && staleness === '' ? 'good' : 'bad';
  const pending = state.pending.length === 0 ? ['nothing'] : state.pending;
  byId('pending').replaceChildren(...pending.map((each) => element('li', each)));
  fill(
    'resources',
    state.resources.map((each) => [
      each.resource,
      element('td', each.synced ? 'yes' : each.required ? 'no' : 'no (optional)', each.synced ? '' : 'bad'),
      each.state,
      number(each.objects),
      number(seconds(each.stalenessMs)),
      each.message,
    ]),
  );
  const { subscribers, furthestBehind, sequence } = state.feed;
  byId('feed').textContent = `${subscribers} open, sequence ${sequence}${
    furthestBehind.length < subscribers ? `; the ${furthestBehind.length} that are furthest behind:` : ''
  }`;
  fill(
    'subscribers',
    furthestBehind.map(({ caller, lag }) => [caller, number(lag)]),
  );
  fill(
    'changes',
    state.changes.map((each) => [number(each.sequence), time(each.atMs), each.what, path(each)]),
    (at) => state.changes[at].what,
  );
}

async function poll() {
  if (document.visibilityState === 'visible') {
    try {
      const answer = await fetch('state.json');
      if (!answer.ok) throw new Error(`${answer.status} ${(await answer.text()).trim()}`);
      show(await answer.json());
    } catch (error) {
      byId('summary').textContent = `cannot be asked: ${error.message}`;
      byId('summary').className = 'bad';
    }
  }
  setTimeout(poll, POLL_MS);
}

function answerOf({ address, port, outcome, holders, historySinceMs, history }) {
  const found = element('div', '');
  found.append(element('h2', `${address}${port === undefined ? '' : `, port ${port}`}: ${outcome}`));
  for (const holder of holders) {
    const since = `since ${new Date(holder.fromMs).toISOString()}`;
    const workload = holder.workload === undefined ? '' : `, of ${path(holder.workload)}`;
    const doubt = holder.uncertain ? ', uncertain' : '';
    found.append(element('p', `${nameOf(holder)}${workload}: ${holder.role}, ${since}${doubt}`));
  }
  found.append(element('p', `known since ${new Date(historySinceMs).toISOString()}`));
  found.append(drawTimeline(history));
  found.append(element('p', 'hatched: in doubt, or one of several; grey: not known', 'legend'), stretchesOf(history));
  return found;
}

// The same in words, newest first.
function stretchesOf({ stretches, more }) {
  const found = element('details', '');
  found.append(element('summary', `${stretches.length} stretches of time${more ? ', older ones left out' : ''}`));
  const table = element('table', '');
  const head = element('tr', '');
  head.append(...['from', 'to', 'outcome', 'holder'].map((each) => element('th', each)));
  table.append(head);
  for (const { fromMs, toMs, outcome, holders, moreHolders } of stretches) {
    const row = element('tr', '');
    const names = holders.map((holder) => `${nameOf(holder)}, ${holder.role}${holder.uncertain ? ', uncertain' : ''}`);
    if (moreHolders > 0) names.push(`and ${moreHolders} more`);
    const cells = [time(fromMs), toMs === undefined ? 'now' : time(toMs), outcome, names.join('; ')];
    row.append(...cells.map((each) => element('td', each)));
    table.append(row);
  }
  found.append(table);
  return found;
}

function namesOf({ question, entities, more }) {
  const found = element('div', '');
  found.append(element('h2', entities.length === 0 ? `nothing is called ${question}` : `called ${question}`));
  const list = element('ul', '');
  for (const entity of entities) {
    const addresses = entity.addresses.length === 0 ? '' : `: ${entity.addresses.join(', ')}`;
    list.append(element('li', `${path(entity)}${addresses}`));
  }
  found.append(list);
  if (more) found.append(element('p', 'and others; more of the name tells them apart'));
  return found;
}

byId('search').addEventListener('submit', async (event) => {
  event.preventDefault();
  const section = byId('found');
  section.hidden = false;
  try {
    const answer = await fetch(`find.json?q=${encodeURIComponent(byId('question').value.trim())}`);
    if (!answer.ok) throw new Error((await answer.text()).trim());
    const result = await answer.json();
    section.replaceChildren(result.outcome === undefined ? namesOf(result) : answerOf(result));
  } catch (error) {
    section.replaceChildren(element('p', error.message, 'bad'));
  }
});

// A link to a question: /?q=10.244.1.2
const asked = new URLSearchParams(location.search).get('q');
if (asked) {
  byId('question').value = asked;
  byId('search').requestSubmit();
}
poll();
