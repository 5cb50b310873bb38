// Host names of load balancers as names to ask a name server for.

/** RFC 1035 §2.3.4 and §3.1, with the underscores that occur; two labels at least, the last one not a number. */
const HOST_NAME = /^(?:[a-z0-9_](?:[-a-z0-9_]{0,61}[a-z0-9_])?\.)+[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const MAX_LENGTH = 253;

/** In lower case and without a dot at the end; `undefined`: it is no name that could be asked for. */
export function parseHostName(text: string): string | undefined {
  if (text.length > MAX_LENGTH + 1) return undefined;
  const name = text.toLowerCase().replace(/\.$/, '');
  return name.length <= MAX_LENGTH && HOST_NAME.test(name) ? name : undefined;
}
