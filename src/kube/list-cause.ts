// Why a list is not there yet, said so that one cause reads alike for every resource that it holds up: without the verb
// and resource in front, and with the account in place of a sentence about each resource where RBAC refuses.

/** `message`: what a reflector says of its last failure. */
export function listCause(message: string): string {
  const cause = message.replace(/^(?:list|watch) [\w./-]+: /, '');
  const [, user, verb, , place] = FORBIDDEN.exec(cause) ?? [];
  if (user === undefined || verb === undefined) return cause;
  const where = place === undefined ? '' : ` ${place}`;
  return `403 Forbidden: ${user} has no right to ${verb}${where}; see kubectl auth can-i --list --as=${user}`;
}

/** How RBAC says no; other authorizers of an API server may say it otherwise, and are quoted. */
const FORBIDDEN =
  /^403 Forbidden: .*User "([^"]+)" cannot (\w+) resource "[^"]+" in API group "[^"]*"( (at the cluster scope|in the namespace "[^"]+"))?$/;
