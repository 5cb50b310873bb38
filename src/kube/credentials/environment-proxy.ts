// Which proxy the environment names for a server: HTTPS_PROXY, HTTP_PROXY and NO_PROXY, as Go reads them.
//
// client-go uses Go's ProxyFromEnvironment where the kubeconfig has no `proxy-url`: upper-case names come before
// lower-case ones, loopback and `localhost` are never proxied, and an entry of NO_PROXY is `*`, an address, a CIDR, a
// domain (with all below it) or `.domain` (only what is below it), each with an optional port.

import { BlockList, isIP } from 'node:net';

type Environment = Readonly<Record<string, string | undefined>>;

const SCHEMES: ReadonlySet<string> = new Set(['http:', 'https:', 'socks5:', 'socks5h:']);

/**
 * The URL of the proxy as a text; `undefined`: none. Throws when one is named that cannot be used; quotes nothing of
 * it.
 */
export function proxyFromEnvironment(server: URL, env: Environment): string | undefined {
  const [upper, lower] = server.protocol === 'https:' ? ['HTTPS_PROXY', 'https_proxy'] : ['HTTP_PROXY', 'http_proxy'];
  const named = env[upper] || env[lower];
  if (!named || isExempt(server, env['NO_PROXY'] || env['no_proxy'] || '')) return undefined;
  return proxyUrl(/^[a-z][a-z0-9+.-]*:\/\//i.test(named) ? named : `http://${named}`, upper);
}

/** Checks a proxy that `source` names. */
export function proxyUrl(text: string, source: string): string {
  const url = URL.parse(text);
  if (url === null || url.hostname === '' || !SCHEMES.has(url.protocol)) {
    throw new Error(`${source} must be a URL with http://, https://, socks5:// or socks5h://`);
  }
  return text;
}

/** Whether the host of a URL is this machine. */
export function isLoopback(hostname: string): boolean {
  const host = plainHost(hostname);
  return host === 'localhost' || isWithin(host, '127.0.0.0/8') || host === '::1';
}

function plainHost(hostname: string): string {
  return hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
}

function isExempt(server: URL, noProxy: string): boolean {
  const host = plainHost(server.hostname);
  const port = server.port === '' ? (server.protocol === 'https:' ? '443' : '80') : server.port;
  if (isLoopback(host)) return true;
  return noProxy.split(',').some((each) => matches(each.trim().toLowerCase(), host, port));
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === '') return false;
  if (entry === '*') return true;
  if (entry.includes('/')) return isWithin(host, entry);
  if (isIP(entry) !== 0) return isWithin(host, `${entry}/${isIP(entry) === 6 ? 128 : 32}`);
  const [, name = '', entryPort = ''] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(entry) ?? [];
  if (entryPort !== '' && entryPort !== port) return false;
  if (isIP(name) !== 0) return isWithin(host, `${name}/${isIP(name) === 6 ? 128 : 32}`);
  const domain = name.replace(/^\*\./, '.');
  return domain.startsWith('.') ? host.endsWith(domain) : host === domain || host.endsWith(`.${domain}`);
}

function isWithin(host: string, cidr: string): boolean {
  const [network = '', bits = ''] = cidr.split('/');
  const version = isIP(network);
  const length = Number(bits);
  if (version === 0 || isIP(host) !== version || bits === '' || !(length <= (version === 6 ? 128 : 32))) return false;
  const type = version === 6 ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  list.addSubnet(network, length, type);
  return list.check(host, type);
}
