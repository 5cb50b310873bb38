// Options that are valid on their own and wrong together: half a TLS pair, plaintext where others can reach it, an
// allow list that would never be consulted. Reported all at once like every other problem, but only of options that
// parsed.

import type { Config, OptionName } from './options.ts';
import { PublishedNamespaces } from '../model/namespaces/published-namespaces.ts';
import { MAX_NAMESPACES } from '../model/source.ts';
import { isLoopback } from './values.ts';

/** One line each; none: they go together. `values` lacks what did not parse. */
export function findConflicts(values: Partial<Config>): string[] {
  return CONFLICTS.filter(({ between }) => between.every((name) => name in values)).flatMap(({ find }) => {
    // What `find` looks at is there.
    const problem = find(values as Config);
    return problem === undefined ? [] : [problem];
  });
}

interface Conflict {
  readonly between: readonly OptionName[];
  readonly find: (config: Config) => string | undefined;
}

/** Each is tried for each namespace once. */
const MAX_RULES = 100;

/** Each is asked at the start. */
const MAX_HISTORY_PLACES = 16;

/** An answer looks into each of them. */
const MAX_RANGES_FILES = 16;

const CONFLICTS: readonly Conflict[] = [
  {
    between: ['tlsCert', 'tlsKey'],
    find: ({ tlsCert, tlsKey }) => {
      if ((tlsCert === undefined) === (tlsKey === undefined)) return undefined;
      const [given, missing] = tlsCert === undefined ? ['--tls-key', '--tls-cert'] : ['--tls-cert', '--tls-key'];
      return `${given}: given without ${missing}; set both or neither`;
    },
  },
  {
    between: ['tlsCert', 'tlsClientCa'],
    find: ({ tlsCert, tlsClientCa }) =>
      tlsClientCa !== undefined && tlsCert === undefined
        ? '--tls-client-ca: given without --tls-cert; it requires --tls-cert'
        : undefined,
  },
  {
    between: ['tlsCert', 'allowPlaintext'],
    find: ({ tlsCert, allowPlaintext }) =>
      tlsCert !== undefined && allowPlaintext
        ? '--allow-plaintext: given together with --tls-cert; set only one of them'
        : undefined,
  },
  {
    between: ['resolveLoadBalancers', 'dnsServers'],
    find: ({ resolveLoadBalancers, dnsServers }) =>
      dnsServers.length > 0 && !resolveLoadBalancers
        ? '--dns-server: given without --resolve-load-balancers; it requires --resolve-load-balancers'
        : undefined,
  },
  {
    between: ['listen', 'allowPlaintext', 'tlsCert', 'tlsKey'],
    find: ({ listen, allowPlaintext, tlsCert, tlsKey }) =>
      allowPlaintext || tlsCert !== undefined || tlsKey !== undefined || isLoopback(listen.host)
        ? undefined
        : `--listen: got ${listen.host}, which is reachable from other machines; use a loopback address, any ` +
          'address with --tls-cert and --tls-key, or any address with --allow-plaintext',
  },
  {
    between: ['auth', 'tlsClientCa', 'allowClients'],
    find: ({ auth, tlsClientCa, allowClients }) =>
      auth === 'client-certificate' && (tlsClientCa === undefined || allowClients.length === 0)
        ? '--auth: got client-certificate; it requires --tls-client-ca and --allow-client'
        : undefined,
  },
  {
    between: ['auth', 'allowClients'],
    find: ({ auth, allowClients }) =>
      auth !== 'client-certificate' && allowClients.length > 0
        ? '--allow-client: given without --auth=client-certificate, without which no certificate is asked for'
        : undefined,
  },
  {
    between: ['auth', 'authExempt'],
    find: ({ auth, authExempt }) =>
      auth === 'none' && authExempt.length > 0
        ? '--auth-exempt: given with --auth=none, which asks for no credentials anyway'
        : undefined,
  },
  {
    between: ['namespaces'],
    find: ({ namespaces }) =>
      namespaces.length > MAX_NAMESPACES
        ? `--namespace: got ${namespaces.length} namespaces; at most ${MAX_NAMESPACES} are allowed, or none to watch all`
        : undefined,
  },
  {
    between: ['namespaceRules'],
    find: ({ namespaceRules: rules }) => {
      if (rules.length > MAX_RULES)
        return `--namespace-rule: got ${rules.length} rules; at most ${MAX_RULES} are allowed`;
      return rules.length > 0 && rules.every(({ action }) => action === 'deny')
        ? "--namespace-rule: got no rule that allows, so that everything would be hidden; end with 'allow *' to publish the rest"
        : undefined;
    },
  },
  {
    between: ['namespaceRules', 'namespaces'],
    find: ({ namespaceRules, namespaces }) => {
      const published = new PublishedNamespaces(namespaceRules);
      const hidden = namespaces.filter((namespace) => !published.has(namespace));
      return hidden.length > 0
        ? `--namespace: got ${hidden.join(', ')}, which --namespace-rule hides; watch what is published`
        : undefined;
    },
  },
  {
    between: ['namedRanges'],
    find: ({ namedRanges }) =>
      namedRanges.length > MAX_RANGES_FILES
        ? `--named-ranges: got ${namedRanges.length} files; at most ${MAX_RANGES_FILES} are allowed`
        : undefined,
  },
  {
    between: ['historyFrom'],
    find: ({ historyFrom }) =>
      historyFrom.length > MAX_HISTORY_PLACES
        ? `--history-from: got ${historyFrom.length}; at most ${MAX_HISTORY_PLACES} are allowed`
        : undefined,
  },
  {
    between: ['historyFromTlsCert', 'historyFromTlsKey'],
    find: ({ historyFromTlsCert, historyFromTlsKey }) => {
      if ((historyFromTlsCert === undefined) === (historyFromTlsKey === undefined)) return undefined;
      return '--history-from-tls-cert, --history-from-tls-key: one without the other; set both or neither';
    },
  },
  {
    between: ['historyFromTls', 'historyFromTlsCa', 'historyFromTlsCert', 'historyFromServerName'],
    find: (config) =>
      !usesTls(config) && (config.historyFromTlsCert !== undefined || config.historyFromServerName !== undefined)
        ? `${config.historyFromTlsCert === undefined ? '--history-from-server-name' : '--history-from-tls-cert'}: given without --history-from-tls or --history-from-tls-ca`
        : undefined,
  },
];

function usesTls({ historyFromTls, historyFromTlsCa }: Pick<Config, 'historyFromTls' | 'historyFromTlsCa'>): boolean {
  return historyFromTls || historyFromTlsCa !== undefined;
}
