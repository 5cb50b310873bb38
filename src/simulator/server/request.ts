// What a request asks for: the resource in its path, and the list options in its query.
//
// Paths and options are read as kube-apiserver reads them; what it refuses is refused here with the same status
// (k8s.io/apimachinery pkg/apis/meta/internalversion/validation). Of selectors it knows
// the `fieldSelector` for one name; others are refused loudly, because ignoring them would answer with too much.

import type { RequestVerb } from './request-log.ts';
import type { Resource } from './served-resources.ts';
import { badRequest, invalidListOptions, type StatusCause, StatusError } from './error-status.ts';

export interface ResourcePath {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
}

export interface ListOptions {
  readonly watch: boolean;
  readonly limit: number;
  readonly continueToken: string;
  /** `''`, `'0'`, or as sent; see `parseResourceVersion`. */
  readonly resourceVersion: string;
  readonly resourceVersionMatch: '' | 'Exact' | 'NotOlderThan';
  /** undefined: not in the query. */
  readonly sendInitialEvents: boolean | undefined;
  readonly allowWatchBookmarks: boolean;
  readonly timeoutSeconds: number | undefined;
  /** Only the objects with this name. undefined: all. */
  readonly name: string | undefined;
}

/** undefined: not the path of a resource. */
export function parseResourcePath(pathname: string): ResourcePath | undefined {
  // Names of Kubernetes objects need no escapes, so a path that cannot be decoded leads nowhere.
  if (/%(?![0-9a-f]{2})/i.test(pathname) || /%[89a-f]/i.test(pathname)) {
    return undefined;
  }
  // A slash at the end changes nothing.
  const parts = pathname.replace(/\/$/, '').split('/').slice(1).map(decodeURIComponent);
  const [root] = parts;
  const prefix = root === 'api' ? 2 : root === 'apis' ? 3 : 0;
  if (prefix === 0 || parts.length <= prefix) {
    return undefined;
  }
  const group = root === 'api' ? '' : (parts[1] ?? '');
  const version = parts[prefix - 1] ?? '';
  const rest = parts.slice(prefix);
  if (rest.some((part) => part === '')) {
    return undefined;
  }
  // `namespaces/NAME` is a namespace itself; anything behind it lies within.
  if (rest[0] === 'namespaces' && rest.length > 2) {
    return rest.length > 4 ? undefined : path(group, version, rest[2], rest[1], rest[3]);
  }
  return rest.length > 2 ? undefined : path(group, version, rest[0], undefined, rest[1]);
}

/** Throws a StatusError with what kube-apiserver says. */
export function parseListOptions(query: URLSearchParams, streamedLists: boolean): ListOptions {
  const fieldSelector = query.get('fieldSelector') ?? '';
  const name = fieldSelector.startsWith(NAME_FIELD) ? fieldSelector.slice(NAME_FIELD.length) : undefined;
  if ((query.get('labelSelector') ?? '') !== '') {
    throw new StatusError(badRequest('the simulator does not know labelSelector'));
  }
  if (fieldSelector !== '' && (name === undefined || !/^[a-z0-9.-]+$/.test(name))) {
    throw new StatusError(badRequest(`the simulator does not know the fieldSelector ${fieldSelector}`));
  }
  const options = {
    watch: parseBoolean(query.get('watch')) ?? false,
    limit: parseInteger(query.get('limit')) ?? 0,
    continueToken: query.get('continue') ?? '',
    resourceVersion: query.get('resourceVersion') ?? '',
    resourceVersionMatch: query.get('resourceVersionMatch') ?? '',
    sendInitialEvents: parseBoolean(query.get('sendInitialEvents')),
    allowWatchBookmarks: parseBoolean(query.get('allowWatchBookmarks')) ?? false,
    timeoutSeconds: parseInteger(query.get('timeoutSeconds')),
    name,
  };
  const causes = options.watch ? watchProblems(options, streamedLists) : listProblems(options);
  if (causes.length > 0) {
    throw new StatusError(invalidListOptions(causes));
  }
  return { ...options, resourceVersionMatch: options.resourceVersionMatch as ListOptions['resourceVersionMatch'] };
}

/** `''` counts as 0. Digits of any length: the server's own versions may be longer than 64 bits here. */
export function parseResourceVersion(text: string): bigint | undefined {
  return text === '' ? 0n : /^\d+$/.test(text) ? BigInt(text) : undefined;
}

export function invalidResourceVersion(text: string): string {
  const quoted = JSON.stringify(text);
  return `resourceVersion: Invalid value: ${quoted}: strconv.ParseUint: parsing ${quoted}: invalid syntax`;
}

/** Whether a query asks for a watch, as the real server reads it. */
export function isWatch(query: URLSearchParams): boolean {
  const watch = query.get('watch');
  return watch !== null && watch !== 'false' && watch !== '0';
}

export function requestVerb(
  method: string | undefined,
  path: ResourcePath | undefined,
  query: URLSearchParams,
): RequestVerb {
  if (path === undefined || method !== 'GET') {
    return 'other';
  }
  return path.name !== undefined ? 'get' : isWatch(query) ? 'watch' : 'list';
}

/** `pods`, `deployments.apps`, whether served or not. */
export function requestedName(path: ResourcePath): string {
  return path.group === '' ? path.plural : `${path.plural}.${path.group}`;
}

/** Whether the path leads to this resource. */
export function isAt(resource: Resource, path: ResourcePath): boolean {
  const scoped = resource.namespaced
    ? path.namespace !== undefined || path.name === undefined
    : path.namespace === undefined;
  return (
    resource.group === path.group && resource.version === path.version && resource.plural === path.plural && scoped
  );
}

interface RawOptions extends Omit<ListOptions, 'resourceVersionMatch'> {
  readonly resourceVersionMatch: string;
}

type Problem = StatusCause & { readonly field: string };

function listProblems(options: RawOptions): readonly Problem[] {
  const problems: Problem[] = [];
  const match = options.resourceVersionMatch;
  if (match !== '') {
    if (options.resourceVersion === '') {
      problems.push(forbidden(MATCH, `${MATCH} is forbidden unless resourceVersion is provided`));
    }
    if (options.continueToken !== '') {
      problems.push(forbidden(MATCH, `${MATCH} is forbidden when continue is provided`));
    }
    if (match !== 'Exact' && match !== 'NotOlderThan') {
      problems.push(unsupported(MATCH, match, ['Exact', 'NotOlderThan', '']));
    }
    if (match === 'Exact' && options.resourceVersion === '0') {
      problems.push(forbidden(MATCH, `${MATCH} "exact" is forbidden for resourceVersion "0"`));
    }
  }
  if (options.sendInitialEvents !== undefined) {
    problems.push(forbidden(INITIAL, `${INITIAL} is forbidden for list`));
  }
  return problems;
}

function watchProblems(options: RawOptions, streamedLists: boolean): readonly Problem[] {
  const problems: Problem[] = [];
  const match = options.resourceVersionMatch;
  if (options.sendInitialEvents !== undefined) {
    if (match !== 'NotOlderThan') {
      problems.push(forbidden(MATCH, `${INITIAL} requires setting ${MATCH} to NotOlderThan`));
    }
    if (!streamedLists) {
      const message = `${INITIAL} is forbidden for watch unless the WatchList feature gate is enabled`;
      problems.push(forbidden(INITIAL, message));
    }
  }
  if (match !== '') {
    if (options.sendInitialEvents === undefined) {
      problems.push(forbidden(MATCH, `${MATCH} is forbidden for watch unless ${INITIAL} is provided`));
    }
    if (match !== 'NotOlderThan') {
      problems.push(unsupported(MATCH, match, ['NotOlderThan']));
    }
  }
  // A watch from nothing or "0" counts as one that asks for initial events, with the match that belongs to it.
  const implied = options.sendInitialEvents === undefined && ['', '0'].includes(options.resourceVersion);
  if (options.continueToken !== '' && (match !== '' || (implied && streamedLists))) {
    problems.push(forbidden(MATCH, `${MATCH} is forbidden when continue is provided`));
  }
  return problems;
}

const NAME_FIELD = 'metadata.name=';
const MATCH = 'resourceVersionMatch';
const INITIAL = 'sendInitialEvents';

function forbidden(field: string, message: string): Problem {
  return { reason: 'FieldValueForbidden', message: `Forbidden: ${message}`, field };
}

function unsupported(field: string, value: string, supported: readonly string[]): Problem {
  const values = supported.map((text) => JSON.stringify(text)).join(', ');
  return {
    reason: 'FieldValueNotSupported',
    message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${values}`,
    field,
  };
}

function path(
  group: string,
  version: string,
  plural: string | undefined,
  namespace: string | undefined,
  name: string | undefined,
): ResourcePath | undefined {
  return plural === undefined ? undefined : { group, version, plural, namespace, name };
}

/** The API's conversion of query values: an empty value, `1` and `true` are true; `0` and `false` are not. */
function parseBoolean(text: string | null): boolean | undefined {
  return text === null ? undefined : !(text === 'false' || text === '0');
}

function parseInteger(text: string | null): number | undefined {
  if (text === null || text === '') {
    return undefined;
  }
  if (!/^-?\d+$/.test(text)) {
    throw new StatusError(badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`));
  }
  return Number(text);
}
