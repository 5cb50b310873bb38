// The timeline of an address as a picture: time goes from left to right, each object that held the address has a line of
// its own, the newest on top, and a bar where it held it. Nothing here asks the service for anything.
//
// `layOut` decides what goes where and knows no browser; `drawTimeline` makes SVG of it. A bar that is hatched is in doubt
// (`uncertain`, or one of several); grey behind all lines is time of which nothing is known.

const MAX_LANES = 12;
const [WIDTH, LABEL_WIDTH, LANE, BAR, AXIS] = [1000, 300, 26, 16, 28];
const TICKS = 5;
/** Shorter than this would not be seen. */
const MIN_BAR = 2;
/** Characters of a label that have room. */
const MAX_LABEL = 36;
const SVG = 'http://www.w3.org/2000/svg';

export function nameOf({ kind, namespace, name, hidden }) {
  if (hidden) return `${kind} (hidden)`;
  return `${kind} ${namespace ? `${namespace}/` : ''}${name}`;
}

const clock = (ms) => new Date(ms).toISOString().slice(11, 19);

/** `stretches` newest first, as the service tells them. */
export function layOut({ fromMs, toMs, stretches }) {
  const span = Math.max(1, toMs - fromMs);
  const x = (ms) => LABEL_WIDTH + ((WIDTH - LABEL_WIDTH) * (Math.min(Math.max(ms, fromMs), toMs) - fromMs)) / span;
  const box = (stretch) => {
    const [left, right] = [x(stretch.fromMs), x(stretch.toMs ?? toMs)];
    const width = Math.max(MIN_BAR, right - left);
    return { left: Math.min(left, WIDTH - width), width };
  };
  const lanes = new Map();
  const unknown = [];
  for (const stretch of stretches) {
    const until = stretch.toMs === undefined ? 'now' : clock(stretch.toMs);
    const when = `${clock(stretch.fromMs)} to ${until}`;
    if (stretch.outcome === 'UNKNOWN') unknown.push({ ...box(stretch), title: `not known, ${when}` });
    for (const holder of stretch.holders) {
      let key = holder.hidden ? `hidden ${holder.kind}` : `${holder.uid} ${holder.role}`;
      let label = nameOf(holder);
      if (!lanes.has(key) && lanes.size >= MAX_LANES - 1) [key, label] = ['others', 'others'];
      if (!lanes.has(key)) lanes.set(key, { label, bars: [] });
      const isDoubtful = holder.uncertain || stretch.outcome === 'AMBIGUOUS';
      const doubt = isDoubtful ? (holder.uncertain ? ', uncertain' : ', one of several') : '';
      const title = `${nameOf(holder)}, ${holder.role}, ${when}${doubt}`;
      lanes.get(key).bars.push({ ...box(stretch), isDoubtful, title });
    }
  }
  const ticks = Array.from({ length: TICKS }, (_, at) => {
    const ms = fromMs + (span * at) / (TICKS - 1);
    return { x: x(ms), label: at === TICKS - 1 ? 'now' : clock(ms) };
  });
  return { lanes: [...lanes.values()], unknown, ticks, height: Math.max(1, lanes.size) * LANE + AXIS };
}

export function drawTimeline(history) {
  const { lanes, unknown, ticks, height } = layOut(history);
  const picture = shape('svg', {
    viewBox: `0 0 ${WIDTH} ${height}`,
    class: 'timeline',
    role: 'img',
    'aria-label': `who held the address from ${clock(history.fromMs)} to now; the table below has it in words`,
  });
  const hatch = shape('pattern', { id: 'doubt', width: 6, height: 6, patternUnits: 'userSpaceOnUse' });
  hatch.append(shape('path', { d: 'M0 6 L6 0', class: 'hatch' }));
  picture.append(hatch);
  const bottom = height - AXIS;
  for (const { left, width, title } of unknown) {
    picture.append(titled(shape('rect', { x: left, y: 0, width, height: bottom, class: 'unknown' }), title));
  }
  for (const { x, label } of ticks) {
    picture.append(shape('line', { x1: x, x2: x, y1: 0, y2: bottom, class: 'tick' }));
    const anchor = label === 'now' ? 'end' : x === LABEL_WIDTH ? 'start' : 'middle';
    picture.append(text(label, { x, y: height - 10, 'text-anchor': anchor }));
  }
  for (const [at, { label, bars }] of lanes.entries()) {
    const y = at * LANE + (LANE - BAR) / 2;
    const shown = label.length > MAX_LABEL ? `${label.slice(0, MAX_LABEL - 1)}…` : label;
    picture.append(titled(text(shown, { x: 0, y: y + BAR - 4 }), label));
    for (const { left, width, isDoubtful, title } of bars) {
      const bar = { x: left, y, width, height: BAR };
      picture.append(titled(shape('rect', { ...bar, class: isDoubtful ? 'doubtful' : 'held' }), title));
      if (isDoubtful) picture.append(shape('rect', { ...bar, fill: 'url(#doubt)', class: 'hatched' }));
    }
  }
  if (lanes.length === 0) picture.append(text('no object held it', { x: 0, y: LANE - 8 }));
  return picture;
}

function shape(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

function text(content, attributes) {
  const made = shape('text', attributes);
  made.textContent = content;
  return made;
}

/** What a pointer that rests on it is told. */
function titled(made, content) {
  const title = shape('title', {});
  title.textContent = content;
  made.append(title);
  return made;
}
