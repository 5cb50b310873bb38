// Ids of containers as runtimes give them and as people and sensors ask: 64 hexadecimal digits, of which cgroup paths,
// logs and `docker ps` often show the first 12; in a pod's status with the runtime's scheme before them.

/** What is asked for. */
export interface ContainerIdPrefix {
  /** `containerd`, `cri-o`, `docker`; empty: any. */
  readonly scheme: string;
  /** 12–64 digits, in lower case. */
  readonly digits: string;
}

export const MIN_DIGITS = 12;
export const MAX_DIGITS = 64;

const ASKED = /^(?:([a-z0-9][-a-z0-9+.]{0,31}):\/\/)?([0-9a-f]{12,64})$/i;

/** `undefined`: it is no id, or too little of one. */
export function parseContainerId(text: string): ContainerIdPrefix | undefined {
  const [, scheme = '', digits] = ASKED.exec(text) ?? [];
  return digits === undefined ? undefined : { scheme: scheme.toLowerCase(), digits: digits.toLowerCase() };
}

/**
 * The first 12 digits of an id of a status, as a number, which holds them exactly; `undefined`: it has no such digits
 * (empty, or of a runtime with other ids) and cannot be asked for.
 */
export function containerKey(id: string): number | undefined {
  const at = id.indexOf('://');
  const digits = id.slice(at === -1 ? 0 : at + 3);
  return ID_DIGITS.test(digits) ? Number.parseInt(digits.slice(0, MIN_DIGITS), 16) : undefined;
}

const ID_DIGITS = /^[0-9a-f]{12,64}$/i;

/** Whether the id of a status begins as is asked. */
export function hasPrefix(id: string, { scheme, digits }: ContainerIdPrefix): boolean {
  const at = id.indexOf('://');
  if (scheme !== '' && (at !== scheme.length || !id.toLowerCase().startsWith(scheme))) return false;
  return id
    .slice(at === -1 ? 0 : at + 3)
    .toLowerCase()
    .startsWith(digits);
}
