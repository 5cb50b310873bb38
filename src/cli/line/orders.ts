// What the commands that ask a running service are told to do: what is asked, of which service, shown in which form.
//
// These commands read no environment variables: what configures a service must not change what a person asks.

import { durationBetween, oneOf, type Parsed, parseName, parsePath } from '../../options/values.ts';
import type { ConnectionOptions } from '../ask/connection.ts';
import { type ConnectionSecurity, findSecurityProblems } from '../../grpc-client/connection-security.ts';
import { OBJECT_KINDS, type ObjectKind, OUTPUT_FORMS, type OutputForm } from './commands.ts';
import {
  type AddressAndPort,
  type KindAndName,
  momentBefore,
  parseAddressAndPort,
  parseKind,
  parseKindAndName,
  parseSelectorText,
  parseHostName,
  parseServiceAddress,
} from './values.ts';
import type { Words } from './words.ts';

interface Asking {
  readonly connection: ConnectionOptions;
  readonly output: OutputForm;
}

export interface ResolveOrder extends Asking {
  readonly command: 'resolve';
  /** Unset: addresses come from standard input. */
  readonly question: AddressAndPort | undefined;
  /** ms since the epoch; unset: now. */
  readonly atMs: number | undefined;
  readonly waitMs: number;
  /** `PROTOCOL_TCP`. */
  readonly protocol: string | undefined;
  /** Name of a secondary network; unset: the cluster's. */
  readonly network: string | undefined;
  /** Ask for resource attributes of OpenTelemetry. */
  readonly otel: boolean;
  /** Answer from a replica in this process; only for addresses from standard input. */
  readonly replica: boolean;
}

export interface HistoryOrder extends Asking {
  readonly command: 'history';
  readonly question: AddressAndPort;
  /** Name of a secondary network; unset: the cluster's. */
  readonly network: string | undefined;
  /** `PROTOCOL_TCP`. */
  readonly protocol: string | undefined;
}

export interface GetOrder extends Asking {
  readonly command: 'get';
  readonly kind: ObjectKind;
  readonly object: KindAndName;
  /** Empty for a node and a namespace. */
  readonly namespace: string;
  readonly waitMs: number;
}

export interface ContainerOrder extends Asking {
  readonly command: 'container';
  /** One of the two fields of a `ContainerQuery`. */
  readonly subject: { readonly containerId: string } | { readonly podUid: string };
  readonly waitMs: number;
  /** Ask for resource attributes of OpenTelemetry. */
  readonly otel: boolean;
}

export interface WatchOrder extends Asking {
  readonly command: 'watch';
  /** `ENTITY_KIND_POD`. */
  readonly kinds: readonly string[];
  readonly namespaces: readonly string[];
  readonly nodes: readonly string[];
  /** Empty: none. */
  readonly labelSelector: string;
  /** Keys of labels and annotations to be shown; unset: all. */
  readonly values: { readonly labels: readonly string[]; readonly annotations: readonly string[] } | undefined;
  /** Empty: none. */
  readonly namespaceSelector: string;
  readonly snapshotOnly: boolean;
}

export interface StatusOrder extends Asking {
  readonly command: 'status';
}

export type Order = ResolveOrder | HistoryOrder | GetOrder | ContainerOrder | WatchOrder | StatusOrder;

/** What is wrong is in `words.problems`; then the order is not to be used. */
export function readOrder(words: Words, command: Order['command'], nowMs: number): Order {
  const asking: Asking = {
    connection: readConnection(words),
    output: words.last('output', oneOf(...OUTPUT_FORMS)) ?? 'auto',
  };
  const waitMs = (): number => words.last('wait', durationBetween('0s', '30s')) ?? 0;
  switch (command) {
    case 'resolve':
      return {
        ...asking,
        command,
        question: readQuestion(words),
        network: words.last('network', parseName),
        atMs: words.last('at', momentBefore(nowMs)),
        waitMs: waitMs(),
        otel: words.given('otel'),
        replica: readReplica(words),
        protocol: toProtocol(words.last('protocol', oneOf('tcp', 'udp', 'sctp'))),
      };
    case 'history':
      return {
        ...asking,
        command,
        question: readAddress(words),
        network: words.last('network', parseName),
        protocol: toProtocol(words.last('protocol', oneOf('tcp', 'udp', 'sctp'))),
      };
    case 'get':
      return { ...asking, command, ...readObject(words), waitMs: waitMs() };
    case 'container':
      return {
        ...asking,
        command,
        subject: readSubject(words),
        waitMs: waitMs(),
        otel: words.given('otel'),
      };
    case 'watch':
      refuseWords(words, 'filters are options, see digger watch --help');
      return {
        ...asking,
        command,
        kinds: words.all('kind', parseKind),
        namespaces: words.all('namespace', parseName),
        nodes: words.all('node', parseName),
        labelSelector: words.all('label', parseSelectorText).join(','),
        values: readValues(words),
        namespaceSelector: words.last('namespace-selector', parseSelectorText) ?? '',
        snapshotOnly: words.given('snapshot-only'),
      };
    case 'status':
      refuseWords(words, 'digger status takes options only');
      return { ...asking, command };
  }
}

function readValues(words: Words): WatchOrder['values'] {
  if (!words.given('with-label') && !words.given('with-annotation')) return undefined;
  return { labels: words.all('with-label', parseName), annotations: words.all('with-annotation', parseName) };
}

function readQuestion(words: Words): AddressAndPort | undefined {
  const [word, ...more] = words.rest;
  for (const unexpected of more)
    words.problems.push(`${unexpected}: one address at a time; many: digger resolve - < addresses`);
  if (word === undefined) {
    words.problems.push('an address is missing: digger resolve 10.0.0.1:80');
    return undefined;
  }
  if (word !== '-') return words.value('address', word, parseAddressAndPort(word));
  if (words.given('wait')) words.problems.push('--wait: not with -, which answers each line at once');
  return undefined;
}

function readReplica(words: Words): boolean {
  if (!words.given('replica')) return false;
  if (words.rest[0] !== '-') words.problems.push('--replica: only with -: digger resolve --replica - < addresses');
  if (words.given('otel')) words.problems.push('--otel: not with --replica, which has no resource attributes');
  return true;
}

function readAddress(words: Words): AddressAndPort {
  const [word, ...more] = words.rest;
  for (const unexpected of more) words.problems.push(`${unexpected}: one address at a time`);
  if (word === undefined) words.problems.push('an address is missing: digger history 10.0.0.1');
  const read = word === undefined ? undefined : words.value('address', word, parseAddressAndPort(word));
  return read ?? { address: '', port: undefined };
}

function readSubject(words: Words): ContainerOrder['subject'] {
  const [containerId, ...more] = words.rest;
  for (const unexpected of more) words.problems.push(`${unexpected}: one container at a time`);
  const podUid = words.last('pod-uid', parseName);
  if (podUid === undefined) {
    if (containerId === undefined) words.problems.push('an id is missing: digger container 0123456789ab');
    return { containerId: containerId ?? '' };
  }
  if (containerId !== undefined) words.problems.push(`--pod-uid: got ${containerId} too; allowed: one of them`);
  return { podUid };
}

function readObject(words: Words): Pick<GetOrder, 'kind' | 'object' | 'namespace'> {
  const [kindWord, nameWord, ...more] = words.rest;
  for (const unexpected of more) words.problems.push(`${unexpected}: one object at a time`);
  const given = words.last('namespace', parseName);
  const kind = kindWord === undefined ? undefined : words.value('kind', kindWord, parseObjectKind(kindWord));
  if (nameWord === undefined) words.problems.push('a kind and a name are needed: digger get pod shop/cart-0');
  if (kind === undefined || nameWord === undefined)
    return { kind: 'pod', object: { kind: '', group: '', name: '' }, namespace: '' };
  if (kind === 'workload') {
    const object = words.value('name', nameWord, parseKindAndName(nameWord));
    return { kind, object: object ?? { kind: '', group: '', name: '' }, namespace: given ?? '' };
  }
  const [inWord, name] = nameWord.includes('/') ? (nameWord.split('/', 2) as [string, string]) : [undefined, nameWord];
  const isClusterScoped = kind === 'node' || kind === 'namespace';
  if (isClusterScoped && (inWord ?? given) !== undefined)
    words.problems.push(`a ${kind} has no namespace: digger get ${kind} NAME`);
  if (!isClusterScoped && (inWord ?? given) === undefined) {
    words.problems.push(`a ${kind} has a namespace: digger get ${kind} NAMESPACE/${name}`);
  }
  if (inWord !== undefined && given !== undefined && inWord !== given) {
    words.problems.push(
      `--namespace: got ${JSON.stringify(given)}, but the name says ${JSON.stringify(inWord)}; allowed: one of them`,
    );
  }
  return { kind, object: { kind: '', group: '', name }, namespace: inWord ?? given ?? '' };
}

function parseObjectKind(text: string): Parsed<ObjectKind> {
  const kind = OBJECT_KINDS.find((each) => each === text.toLowerCase() || `${each}s` === text.toLowerCase());
  return kind === undefined ? { ok: false, allowed: OBJECT_KINDS.join(', ') } : { ok: true, value: kind };
}

function refuseWords(words: Words, hint: string): void {
  for (const word of words.rest) words.problems.push(`${word}: not expected; ${hint}`);
}

function readConnection(words: Words): ConnectionOptions {
  const connection: ConnectionOptions = {
    address: words.last('address', parseServiceAddress) ?? '',
    timeoutMs: words.last('timeout', durationBetween('100ms', '10m')) ?? 0,
    ...readSecurity(words),
  };
  if (connection.security !== undefined) {
    words.problems.push(...findSecurityProblems(connection.security, connection.address));
  }
  return connection;
}

/** Nothing, when no option of it was given. */
function readSecurity(words: Words): { readonly security?: ConnectionSecurity } {
  const path = (name: string): string | undefined => words.last(name, parsePath);
  const [caPath, certPath, keyPath, tokenPath] = [
    path('tls-ca'),
    path('tls-cert'),
    path('tls-key'),
    path('token-file'),
  ];
  const serverName = words.last('tls-server-name', parseHostName);
  const tls = words.given('tls') || [caPath, certPath, keyPath, serverName].some((given) => given !== undefined);
  if (!tls && tokenPath === undefined) return {};
  return { security: { tls, caPath, certPath, keyPath, tokenPath, serverName } };
}

function toProtocol(text: string | undefined): string | undefined {
  return text === undefined ? undefined : `PROTOCOL_${text.toUpperCase()}`;
}
