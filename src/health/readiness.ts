// What keeps digger from answering: named tasks that are not done yet, and whether it is draining.
//
// Not ready until the first task has begun and the last one is done; ready from then on until the drain. An outage of
// the API server does not take readiness back, and neither does a task that is named later: a stale answer that says
// how stale it is beats none.
//
// Tasks that wait for the same thing are told together: with the API server away that is one line, not one for each
// resource of each namespace.

export class Readiness {
  /** Task → what it is waiting for, for people; empty: it is under way. */
  readonly #pending = new Map<string, string>();
  readonly #listeners: (() => void)[] = [];
  #done = false;
  #draining = false;

  /**
   * Adds a task, or says what it is waiting for. Does nothing once everything was done. `task` is a verb and its
   * object (`list pods`); tasks of one verb are told together when they wait for the same.
   */
  begin(task: string, detail = ''): void {
    if (!this.#done) this.#pending.set(task, detail);
  }

  /** The task is done; doing it twice is no error. The last one makes ready, for good. */
  complete(task: string): void {
    if (!this.#pending.delete(task) || this.#pending.size > 0) return;
    this.#done = true;
    this.#notify();
  }

  /** From now on nothing new is taken. Not to be taken back. */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.#notify();
  }

  get isReady(): boolean {
    return this.#done && !this.#draining;
  }

  get isDraining(): boolean {
    return this.#draining;
  }

  /**
   * What is not done, with what it waits for: `list pods, services: connection refused`. Causes come first. A few
   * lines of bounded length, whatever the number of tasks.
   */
  get pending(): readonly string[] {
    const tasks = inGroups(this.#pending);
    if (!this.#done && tasks.length === 0) tasks.push('start');
    return this.#draining ? ['draining', ...tasks] : tasks;
  }

  /** Called when readiness may have changed. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** One line for each verb and cause. */
function inGroups(pending: ReadonlyMap<string, string>): string[] {
  const groups = new Map<string, { verb: string; detail: string; objects: string[] }>();
  for (const [task, detail] of pending) {
    const space = `${task} `.indexOf(' ');
    const verb = task.slice(0, space);
    const key = `${verb}\n${detail}`;
    const group = groups.get(key) ?? { verb, detail, objects: [] };
    groups.set(key, group);
    group.objects.push(task.slice(space + 1));
  }
  const caused = [...groups.values()].filter(({ detail }) => detail !== '');
  const underWay = [...groups.values()].filter(({ detail }) => detail === '');
  const lines = caused.slice(0, MAX_CAUSES).map((group) => `${described(group)}: ${cut(group.detail)}`);
  const more = caused.length - lines.length;
  if (more > 0) lines.push(`${more} more ${more === 1 ? 'cause' : 'causes'}`);
  return [...lines, ...underWay.map(described)];
}

function described({ verb, objects }: { readonly verb: string; readonly objects: readonly string[] }): string {
  const names = objects.slice(0, MAX_NAMES).join(', ');
  const more = objects.length > MAX_NAMES ? ` and ${objects.length - MAX_NAMES} more` : '';
  return `${verb} ${names}${more}`.trimEnd();
}

function cut(detail: string): string {
  return detail.length > MAX_DETAIL ? `${detail.slice(0, MAX_DETAIL).toWellFormed()}…` : detail;
}

// As many names as a cluster has resources, a few causes at once, and messages of an API server whole but for odd ones.
const MAX_NAMES = 16;
const MAX_CAUSES = 4;
const MAX_DETAIL = 300;
