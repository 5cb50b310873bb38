// An API server that plays a script: each request gets the next answer, and every request is remembered.
//
// For what a well-behaved server never sends, and for the exact order of requests. A request beyond the script fails
// the test through `unexpected`, after being answered with a watch that stays open.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SeenRequest {
  /** `list` or `watch`. */
  readonly verb: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly accept: string;
  readonly acceptEncoding: string;
  readonly authorization: string;
}

export type Answer = (response: ServerResponse, request: SeenRequest) => void;

export class ScriptedApiServer {
  readonly requests: SeenRequest[] = [];
  /** Versions of lists of one object, which stand in no script: they are given, unless `checkAnswers` has others. */
  readonly checks: string[] = [];
  readonly checkAnswers: Answer[] = [];
  readonly unexpected: string[] = [];
  readonly #answers: Answer[];
  readonly #server: Server;
  url = '';
  connections = 0;

  constructor(answers: readonly Answer[]) {
    this.#answers = [...answers];
    this.#server = createServer((request, response) => this.#handle(request, response));
    this.#server.on('connection', () => {
      this.connections += 1;
    });
  }

  async start(port = 0): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** `list rv=0 limit=500`, `watch rv=10`, in order. */
  get log(): readonly string[] {
    return this.requests.map(({ verb, query }) => {
      const parts: string[] = [verb];
      if (query.has('resourceVersion')) parts.push(`rv=${query.get('resourceVersion')}`);
      if (verb === 'list' && query.has('limit')) parts.push(`limit=${query.get('limit')}`);
      if (query.has('continue')) parts.push(`continue=${query.get('continue')}`);
      return parts.join(' ');
    });
  }

  /** Forgets the rest of the script, and goes on with these. */
  play(...answers: readonly Answer[]): void {
    this.#answers.splice(0, this.#answers.length, ...answers);
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://server');
    if (url.pathname === '/readyz') {
      response.end('ok');
      return;
    }
    const seen: SeenRequest = {
      verb: url.searchParams.get('watch') === 'true' ? 'watch' : 'list',
      path: url.pathname,
      query: url.searchParams,
      accept: request.headers.accept ?? '',
      acceptEncoding: String(request.headers['accept-encoding'] ?? ''),
      authorization: request.headers.authorization ?? '',
    };
    if (seen.query.get('limit') === '1') {
      const resourceVersion = seen.query.get('resourceVersion') ?? '';
      this.checks.push(`${resourceVersion} ${seen.query.get('resourceVersionMatch')}`);
      const given = this.checkAnswers.shift() ?? list({ resourceVersion, pods: ['a'], continueToken: 'more' });
      given(response, seen);
      return;
    }
    this.requests.push(seen);
    const answer = this.#answers.shift();
    if (answer !== undefined) answer(response, seen);
    else {
      this.unexpected.push(this.log.at(-1) ?? '');
      openWatch()(response, seen);
    }
  }
}

export interface ListAnswer {
  readonly resourceVersion: string;
  readonly pods?: readonly string[];
  readonly continueToken?: string;
  readonly kind?: string;
}

export function podJson(name: string, resourceVersion = '1', uid = `uid-${name}`): object {
  return { kind: 'Pod', apiVersion: 'v1', metadata: { namespace: 'shop', name, uid, resourceVersion } };
}

export function list({ resourceVersion, pods = [], continueToken = '', kind = 'PodList' }: ListAnswer): Answer {
  return (response) => {
    const metadata = { resourceVersion, ...(continueToken === '' ? {} : { continue: continueToken }) };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ kind, apiVersion: 'v1', metadata, items: pods.map((name) => podJson(name)) }));
  };
}

export function status(code: number, fields: object = {}, headers: Record<string, string> = {}): Answer {
  return (response) => {
    response.writeHead(code, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(statusObject(code, fields)));
  };
}

export function statusObject(code: number, fields: object = {}): object {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, message: `answer ${code}`, ...fields };
}

/** One line of a JSON watch. */
export function event(type: string, object: object): string {
  return `${JSON.stringify({ type, object })}\n`;
}

export function bookmark(resourceVersion: string): string {
  return event('BOOKMARK', { kind: 'Pod', apiVersion: 'v1', metadata: { resourceVersion } });
}

/** A watch that sends this and ends. */
export function watch(...pieces: readonly (string | Buffer)[]): Answer {
  return (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    for (const piece of pieces) response.write(piece);
    response.end();
  };
}

/** A watch that sends this and stays. */
export function openWatch(...pieces: readonly (string | Buffer)[]): Answer {
  return (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    for (const piece of pieces) response.write(piece);
  };
}

/** A watch that sends this and breaks the connection. */
export function brokenWatch(...pieces: readonly (string | Buffer)[]): Answer {
  return (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    for (const piece of pieces) response.write(piece);
    // What was written has to leave before the reset.
    response.write('', () => setImmediate(() => response.socket?.resetAndDestroy()));
  };
}
