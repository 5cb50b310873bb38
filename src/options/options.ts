// Every option of digger: flag, environment variable, default, meaning. `--help`, docs/options.md, `--print-config` and
// the `Config` type all follow from the one table below.

import {
  durationBetween,
  integerBetween,
  oneOf,
  type Parser,
  parseClientName,
  parseDnsServer,
  parseListenAddress,
  parseName,
  parseNamespace,
  parseNamespaceRule,
  parsePath,
  parseKeyPattern,
  parseRange,
  parseShortName,
  parseSwitch,
  parseTarget,
} from './values.ts';

/** How an option is given: once, any number of times (in the environment separated by commas), or as a mere flag. */
export type Arity = 'one' | 'many' | 'switch';

export interface Option<T> {
  /** Long flag with its dashes. */
  readonly flag: string;
  /** What stands for the value in help; empty for a switch. */
  readonly placeholder: string;
  /** Parsed like anything given; `undefined`: unset. */
  readonly defaultText: string | undefined;
  readonly arity: Arity;
  readonly meaning: string;
  /** All texts of one source together; a problem names the one text that is wrong. */
  readonly parseAll: (texts: readonly string[]) => ParsedAll<T>;
}

export type ParsedAll<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly { readonly given: string; readonly allowed: string }[] };

/** In the order in which help shows them. Keys are the names in `Config`. */
export const OPTIONS = {
  listen: one('--listen', 'host:port', '127.0.0.1:50051', parseListenAddress, 'where gRPC is served'),
  adminListen: one(
    '--admin-listen',
    'host:port',
    '127.0.0.1:9464',
    parseListenAddress,
    'where /livez, /readyz and /metrics are served, over plain HTTP',
  ),
  adminPage: toggle(
    '--admin-page',
    'serve a page to look at on --admin-listen: state, search, timelines, last changes; everyone who reaches that port can look',
  ),
  allowPlaintext: toggle('--allow-plaintext', 'serve gRPC without TLS beyond loopback'),
  tlsCert: optional(
    '--tls-cert',
    'path',
    parsePath,
    'certificate of the gRPC listener, then its intermediates, PEM; unset: no TLS. New files are taken while it runs',
  ),
  tlsKey: optional('--tls-key', 'path', parsePath, 'private key of --tls-cert, PEM without a passphrase'),
  tlsClientCa: optional(
    '--tls-client-ca',
    'path',
    parsePath,
    'CA of client certificates, PEM; with it clients without a certificate signed by it are rejected',
  ),
  auth: one(
    '--auth',
    'how',
    'none',
    oneOf('none', 'client-certificate', 'token-review'),
    'who may call: everyone, names in client certificates, or bearer tokens that the cluster reviews',
  ),
  allowClients: many(
    '--allow-client',
    'name',
    parseClientName,
    'DNS name or URI (SPIFFE id) in a client certificate that may call; with --auth=client-certificate',
  ),
  authExempt: many(
    '--auth-exempt',
    'service',
    oneOf('status', 'reflection'),
    'status or reflection: may be called without authentication, as health always may',
  ),
  authCacheTtlMs: one(
    '--auth-cache-ttl',
    'duration',
    '30s',
    durationBetween('1s', '10m'),
    'how long a review of a token, and of what it allows, is believed',
  ),
  authRecheckIntervalMs: one(
    '--auth-recheck-interval',
    'duration',
    '60s',
    durationBetween('1s', '1h'),
    'how often callers of open subscriptions are looked at again',
  ),
  kubeconfig: optional(
    '--kubeconfig',
    'path',
    parsePath,
    'kubeconfig of the cluster; unset: KUBECONFIG, else ~/.kube/config, else the service account of the pod',
  ),
  context: optional('--context', 'name', parseName, 'context of the kubeconfig; unset: its current one'),
  clusterEncoding: one(
    '--cluster-encoding',
    'encoding',
    'protobuf',
    oneOf('protobuf', 'json'),
    'encoding that the API server is asked for first; json can be read along, and costs both sides several times as much',
  ),
  clusterCompression: one(
    '--cluster-compression',
    'when',
    'auto',
    oneOf('auto', 'on', 'off'),
    'whether lists are asked for with gzip; auto is on, as with every Go client. off spares the API server a quarter or more of what a list costs it, for twelve times as many bytes, where the network has 10 Gbit/s or more',
  ),
  namespaces: many(
    '--namespace',
    'name',
    parseNamespace,
    'namespace to watch, and no other; unset: all. An address that no watched object has is UNKNOWN then, because objects of other namespaces may have it',
  ),
  namespaceRules: many(
    '--namespace-rule',
    'rule',
    parseNamespaceRule,
    'which namespaces are published: allow or deny, and a pattern (* ? [a-z], as in Go); the first that matches decides, what none matches is hidden. Hidden objects still hold their addresses: HIDDEN, without names',
  ),
  clusterRanges: many(
    '--cluster-range',
    'cidr',
    parseRange,
    'address range of pods or services, beside those that nodes and ServiceCIDR objects tell: an address in it that no object has is UNASSIGNED, not UNKNOWN',
  ),
  clusterName: optional(
    '--cluster-name',
    'name',
    parseShortName,
    'name of the cluster, in every answer beside the uid of its namespace kube-system; resume tokens of other clusters are refused',
  ),
  resolveLoadBalancers: toggle(
    '--resolve-load-balancers',
    'ask name servers for the host names of load balancers (AWS), at their TTL: such addresses are their services then. Asks nothing by default',
  ),
  dnsServers: many(
    '--dns-server',
    'address[:port]',
    parseDnsServer,
    'name server for --resolve-load-balancers; unset: those of the system (in a pod /etc/resolv.conf)',
  ),
  namedRanges: many(
    '--named-ranges',
    'path',
    parsePath,
    'file that names ranges of addresses outside of the cluster: YAML, or the JSON that AWS, Google and Azure publish; answers carry the longest prefix as network. New files are taken while it runs',
  ),
  denyAnnotations: many(
    '--deny-annotation',
    'key',
    parseKeyPattern,
    'annotation to leave out, beside kubectl.kubernetes.io/last-applied-configuration; example.com/* is all of a domain',
  ),
  allowAnnotations: many(
    '--allow-annotation',
    'key',
    parseKeyPattern,
    'annotation to publish, and no other; unset: all that are not denied',
  ),
  denyLabels: many('--deny-label', 'key', parseKeyPattern, 'label to leave out, in selectors too'),
  allowLabels: many(
    '--allow-label',
    'key',
    parseKeyPattern,
    'label to publish, and no other; unset: all that are not denied. Filters of subscriptions see only published labels',
  ),
  maxValueBytes: one(
    '--max-value-bytes',
    'bytes',
    '1024',
    // Kubernetes itself stops at 256 KiB for all annotations of an object together.
    integerBetween(0, 262_144),
    'leave out annotations and labels with longer values',
  ),
  historyRetentionMs: one(
    '--history',
    'duration',
    '10m',
    durationBetween('0s', '24h'),
    'how long a claim on an address is remembered after its end',
  ),
  maxHistoryClaims: one(
    '--max-history-claims',
    'count',
    '100000',
    integerBetween(0, 10_000_000),
    'ended claims remembered at most; beyond it the oldest go first',
  ),
  maxHistoryMemoryBytes: one(
    '--max-history-memory',
    'bytes',
    '50331648',
    integerBetween(1024 * 1024, 64 * 1024 * 1024 * 1024),
    'memory of ended claims and the entities they keep, 1 to 2 kB each; beyond it the oldest go first',
  ),
  historyFrom: many(
    '--history-from',
    'host:port',
    parseTarget,
    'replica of the same cluster whose history is taken over at the start; a name means all of its addresses (a headless Service). Unset: what was before the start is not known',
  ),
  historyFromWaitMs: one(
    '--history-from-wait',
    'duration',
    '10s',
    durationBetween('1s', '5m'),
    'how long readiness waits for the history of a sibling at most; without it this replica knows nothing of what was before its start, and says so',
  ),
  historyFromTls: toggle(
    '--history-from-tls',
    'TLS to the replicas of --history-from, with the CAs that the system trusts unless --history-from-tls-ca is given',
  ),
  historyFromTlsCa: optional(
    '--history-from-tls-ca',
    'path',
    parsePath,
    'TLS to the replicas of --history-from; CA of their certificates, PEM',
  ),
  historyFromTlsCert: optional(
    '--history-from-tls-cert',
    'path',
    parsePath,
    'client certificate to show to the replicas of --history-from, PEM',
  ),
  historyFromTlsKey: optional(
    '--history-from-tls-key',
    'path',
    parsePath,
    'private key of --history-from-tls-cert, PEM',
  ),
  historyFromServerName: optional(
    '--history-from-server-name',
    'name',
    parseName,
    'name in the certificates of the replicas of --history-from; unset: the name that is given there',
  ),
  historyFromTokenFile: optional(
    '--history-from-token-file',
    'path',
    parsePath,
    'file with the bearer token for the replicas of --history-from; read again for each call, shown over TLS or to this machine only',
  ),
  maxConnections: one(
    '--max-connections',
    'count',
    '3000',
    integerBetween(1, 1_000_000),
    'open connections at most, about 36 kB each; beyond it the one that is idle for longest goes, if one is idle',
  ),
  maxConnectionsPerAddress: one(
    '--max-connections-per-address',
    'count',
    '1000',
    integerBetween(1, 1_000_000),
    'open connections from one address (IPv6: /64), with the same rule',
  ),
  connectionIdleMs: one(
    '--max-connection-idle',
    'duration',
    '10m',
    durationBetween('1s', '24h'),
    'a connection without a call for this long is closed (GOAWAY)',
  ),
  connectionAgeMs: one(
    '--max-connection-age',
    'duration',
    '30m',
    durationBetween('0s', '720h'),
    'a connection open for this long, give or take 10 %, is closed (GOAWAY); subscriptions on it end as in a drain; 0s: never',
  ),
  connectionAgeGraceMs: one(
    '--max-connection-age-grace',
    'duration',
    '60s',
    durationBetween('1s', '1h'),
    'how long calls may take to end on a connection that was told to go',
  ),
  maxConnectionStreams: one(
    '--max-connection-streams',
    'count',
    '100',
    integerBetween(1, 100_000),
    'calls and subscriptions at once on one connection',
  ),
  maxCallMemoryBytes: one(
    '--max-call-memory',
    'bytes',
    '100663296',
    // Room for some calls of the largest size; the most is what a heap can bear.
    integerBetween(4 * 1024 * 1024, 4 * 1024 * 1024 * 1024),
    'memory of all open calls, from their headers until their answers are taken: 16 KiB each, and what they bring and get',
  ),
  maxCallerMemoryBytes: one(
    '--max-caller-memory',
    'bytes',
    '33554432',
    integerBetween(1024 * 1024, 4 * 1024 * 1024 * 1024),
    'of that, the calls of one caller: the name that authentication found, else the address (IPv6: /64)',
  ),
  maxWaiters: one(
    '--max-waiters',
    'count',
    '5000',
    integerBetween(1, 1_000_000),
    'lookups that wait at once, by address and by name each; about 1 kB a waiter',
  ),
  callerRate: one(
    '--caller-rate',
    'lookups/s',
    '0',
    integerBetween(0, 100_000_000),
    'expensive work of one caller: a query of a batch counts 1, a lookup that waits 10, a subscription 1000; 0: no limit',
  ),
  maxSubscribers: one('--max-subscribers', 'count', '3000', integerBetween(1, 100_000), 'open Watch streams at most'),
  maxSubscribersPerCaller: one(
    '--max-subscribers-per-caller',
    'count',
    '1000',
    integerBetween(1, 100_000),
    'open Watch streams of one caller: the name that authentication found, else the address',
  ),
  subscriberStallTimeoutMs: one(
    '--subscriber-stall-timeout',
    'duration',
    '60s',
    durationBetween('1s', '1h'),
    'a subscriber that has not taken a frame (64 KiB) within this time is ended, however slowly it reads',
  ),
  feedRetentionMs: one(
    '--feed-retention',
    'duration',
    '10m',
    // The longest heartbeat is below half of the least, so that an idle subscriber's token never gets too old.
    durationBetween('2m', '24h'),
    'how long removals are kept for subscribers that resume',
  ),
  maxFeedRemovals: one(
    '--feed-retention-removals',
    'count',
    '30000',
    integerBetween(1000, 10_000_000),
    'removals kept at most, about 0.6 kB each',
  ),
  drainTimeoutMs: one(
    '--drain-timeout',
    'duration',
    '20s',
    durationBetween('0s', '10m'),
    'how long calls may take to end after SIGTERM; below the pod’s terminationGracePeriodSeconds',
  ),
  logLevel: one(
    '--log-level',
    'level',
    'info',
    oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
    'least severe level that is logged',
  ),
  logFormat: one(
    '--log-format',
    'format',
    'auto',
    oneOf('auto', 'json', 'pretty'),
    'auto: pretty on a terminal, else json',
  ),
} as const;

export type OptionName = keyof typeof OPTIONS;

/** The whole configuration; durations in ms, sizes in bytes. */
export type Config = { readonly [K in OptionName]: (typeof OPTIONS)[K] extends Option<infer T> ? T : never };

/** The environment variable of an option: `--admin-listen` is `DIGGER_ADMIN_LISTEN`. */
export function environmentVariable(option: Pick<Option<unknown>, 'flag'>): string {
  return `DIGGER_${option.flag.slice(2).replaceAll('-', '_').toUpperCase()}`;
}

export const OPTION_NAMES = Object.keys(OPTIONS) as readonly OptionName[];

function one<T>(flag: string, placeholder: string, defaultText: string, parse: Parser<T>, meaning: string): Option<T> {
  return { flag, placeholder, defaultText, arity: 'one', meaning, parseAll: (texts) => parseLast(texts, parse) };
}

function optional<T>(flag: string, placeholder: string, parse: Parser<T>, meaning: string): Option<T | undefined> {
  const parseAll = (texts: readonly string[]): ParsedAll<T | undefined> =>
    texts.length === 0 ? { ok: true, value: undefined } : parseLast(texts, parse);
  return { flag, placeholder, defaultText: undefined, arity: 'one', meaning, parseAll };
}

function toggle(flag: string, meaning: string): Option<boolean> {
  return {
    flag,
    placeholder: '',
    defaultText: 'false',
    arity: 'switch',
    meaning,
    parseAll: (texts) => parseLast(texts, parseSwitch),
  };
}

function many<T>(flag: string, placeholder: string, parse: Parser<T>, meaning: string): Option<readonly T[]> {
  const parseAll = (texts: readonly string[]): ParsedAll<readonly T[]> => {
    const values: T[] = [];
    const problems: { given: string; allowed: string }[] = [];
    for (const text of texts) {
      const parsed = parse(text.trim());
      if (parsed.ok) values.push(parsed.value);
      else problems.push({ given: text, allowed: parsed.allowed });
    }
    return problems.length > 0 ? { ok: false, problems } : { ok: true, value: values };
  };
  return { flag, placeholder, defaultText: undefined, arity: 'many', meaning, parseAll };
}

// A flag given twice means its last value, as with kubectl.
function parseLast<T>(texts: readonly string[], parse: Parser<T>): ParsedAll<T> {
  const given = texts.at(-1) ?? '';
  const parsed = parse(given);
  return parsed.ok ? parsed : { ok: false, problems: [{ given, allowed: parsed.allowed }] };
}
