// Exec plugins of kubeconfigs: programs that print a credential (client.authentication.k8s.io).
//
// A run is told what client-go tells it (KUBERNETES_EXEC_INFO), has a time limit, bounded output and no terminal, and
// ends with its whole process group. Its answer is validated before it is believed, and kept until it expires or is
// refused. Messages name the command and what it wrote to stderr; what it prints to stdout is a secret and never
// appears.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { load as parseYaml } from 'js-yaml';
import type { Clock } from '../clock.ts';
import type { ClusterEntry, ExecEntry } from './kubeconfig.ts';
import { isToken } from './token-file.ts';

export interface PluginCredential {
  readonly token: string | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
}

/** A plugin that asks a person, or a network that is gone, for longer than this will not answer. */
export const RUN_LIMIT_MS = 60_000;
/** A token and a chain of certificates take a few kB. */
const MAX_STDOUT_BYTES = 1024 * 1024;
const MAX_STDERR_CHARACTERS = 500;
/** For output that is still in the pipe when the program has ended, while a child of it keeps the pipe open. */
const DRAIN_MS = 1_000;

export class ExecPlugin {
  readonly #exec: ExecEntry;
  readonly #cluster: ClusterEntry;
  readonly #clock: Clock;
  #kept: (PluginCredential & { readonly expiresMs: number }) | undefined;

  constructor(exec: ExecEntry, cluster: ClusterEntry, clock: Clock) {
    this.#exec = exec;
    this.#cluster = cluster;
    this.#clock = clock;
  }

  /** Rejects with what is wrong with the plugin; `signal` kills a run. Callers make one call at a time. */
  async credential(signal: AbortSignal): Promise<PluginCredential> {
    if (this.#kept !== undefined && this.#clock.now() < this.#kept.expiresMs) return this.#kept;
    this.#kept = undefined;
    const { command, interactiveMode } = this.#exec;
    if (interactiveMode === 'Always') {
      throw new Error(
        `the exec plugin ${command} wants a terminal (interactiveMode: Always), and digger gives it none`,
      );
    }
    const output = await run(this.#exec, this.#info(), this.#clock, signal);
    this.#kept = this.#validated(output);
    return this.#kept;
  }

  /** What was kept was refused. */
  discard(): void {
    this.#kept = undefined;
  }

  #info(): string {
    const { apiVersion, provideClusterInfo } = this.#exec;
    const { server, ca, skipTlsVerify, tlsServerName, proxyUrl, execExtension } = this.#cluster;
    const caBytes = ca === undefined ? undefined : 'data' in ca ? ca.data : readFileSync(ca.file);
    const cluster = {
      server,
      ...(tlsServerName === undefined ? {} : { 'tls-server-name': tlsServerName }),
      ...(skipTlsVerify ? { 'insecure-skip-tls-verify': true } : {}),
      ...(caBytes === undefined ? {} : { 'certificate-authority-data': caBytes.toString('base64') }),
      ...(proxyUrl === undefined ? {} : { 'proxy-url': proxyUrl }),
      ...(execExtension === undefined ? {} : { config: execExtension }),
    };
    const spec = { interactive: false, ...(provideClusterInfo ? { cluster } : {}) };
    return JSON.stringify({ kind: 'ExecCredential', apiVersion, spec });
  }

  #validated(output: string): PluginCredential & { readonly expiresMs: number } {
    const { command, apiVersion } = this.#exec;
    const wrong = (what: string) => new Error(`the exec plugin ${command} printed no usable credential: ${what}`);
    const answer = recordOf(parsed(output));
    if (answer === undefined) throw wrong('not a JSON object');
    if (answer['kind'] !== 'ExecCredential') throw wrong('kind must be ExecCredential');
    if (answer['apiVersion'] !== apiVersion) throw wrong(`apiVersion must be ${apiVersion}, as in the kubeconfig`);
    const status = recordOf(answer['status']);
    if (status === undefined) throw wrong('there is no status');
    const text = (field: string): string | undefined => {
      const value = status[field] ?? '';
      if (typeof value !== 'string') throw wrong(`status.${field} must be text`);
      return value === '' ? undefined : value;
    };
    const token = text('token')?.trim();
    const cert = text('clientCertificateData');
    const key = text('clientKeyData');
    if ((cert === undefined) !== (key === undefined)) {
      throw wrong('status must have clientCertificateData and clientKeyData together');
    }
    if (token === undefined && cert === undefined) {
      throw wrong('status must have a token, or clientCertificateData and clientKeyData');
    }
    if (token !== undefined && !isToken(token)) throw wrong('status.token has characters that no header can carry');
    const expires = text('expirationTimestamp');
    const expiresMs = expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(expires);
    if (Number.isNaN(expiresMs)) throw wrong('status.expirationTimestamp is not a time');
    if (expiresMs <= this.#clock.now()) throw wrong('it has expired already (status.expirationTimestamp)');
    return { token, cert: toBuffer(cert), key: toBuffer(key), expiresMs };
  }
}

/** Resolves with what the program printed. */
function run(exec: ExecEntry, info: string, clock: Clock, signal: AbortSignal): Promise<string> {
  const { command, args, env, installHint } = exec;
  const described = `the exec plugin ${command}`;
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const child = spawn(command, args, {
      env: { ...process.env, ...Object.fromEntries(env), KUBERNETES_EXEC_INFO: info },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A process group of its own, so that children of the plugin end with it.
      detached: true,
    });
    const output: Buffer[] = [];
    let length = 0;
    let complaint = '';
    const decoder = new StringDecoder('utf8');
    let cancelDrain = () => {};
    const settle = (finish: () => void) => {
      cancelLimit();
      cancelDrain();
      signal.removeEventListener('abort', abort);
      child.stdout.destroy();
      child.stderr.destroy();
      finish();
    };
    const kill = (reason: unknown) => {
      // Without a pid it never started, which `error` tells.
      if (child.pid !== undefined) {
        try {
          process.kill(-child.pid, 'SIGKILL');
        } catch {
          // All of the group has ended in the meantime.
        }
      }
      settle(() => reject(reason));
    };
    const abort = () => kill(signal.reason);
    const cancelLimit = clock.setTimer(
      () => kill(new Error(`${described} did not end within ${RUN_LIMIT_MS / 1000} s and was killed`)),
      RUN_LIMIT_MS,
    );
    signal.addEventListener('abort', abort, { once: true });
    child.stdout.on('data', (piece: Buffer) => {
      length += piece.length;
      output.push(piece);
      if (length > MAX_STDOUT_BYTES) kill(new Error(`${described} printed more than ${MAX_STDOUT_BYTES} bytes`));
    });
    child.stderr.on('data', (piece: Buffer) => {
      complaint = (complaint + decoder.write(piece)).slice(-MAX_STDERR_CHARACTERS);
    });
    child.once('error', (error: NodeJS.ErrnoException) => {
      const hint = error.code === 'ENOENT' && installHint !== '' ? `: ${installHint}` : '';
      settle(() => reject(new Error(`${described} cannot be started (${error.code ?? 'unknown error'})${hint}`)));
    });
    const ended = (code: number | null, killedBy: NodeJS.Signals | null) => {
      settle(() => {
        if (code === 0) {
          resolve(Buffer.concat(output).toString());
          return;
        }
        const how = code === null ? `was ended by ${killedBy}` : `failed with exit code ${code}`;
        // oxlint-disable-next-line no-control-regex
        const said = complaint.replaceAll(/[\x00-\x1f\x7f]+/g, ' ').trim();
        reject(new Error(`${described} ${how}${said === '' ? '' : `: ${said}`}`));
      });
    };
    child.once('exit', (code, killedBy) => {
      cancelDrain = clock.setTimer(() => ended(code, killedBy), DRAIN_MS);
    });
    child.once('close', ended);
  });
}

/** JSON, or YAML with the same fields, which client-go's decoder takes too. */
function parsed(text: string): unknown {
  const unmarked = text.replace(/^\uFEFF/, '');
  for (const parse of [JSON.parse, parseYaml]) {
    try {
      return parse(unmarked);
    } catch {
      // What it is instead may be a secret.
    }
  }
  return undefined;
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}

function toBuffer(text: string | undefined): Buffer | undefined {
  return text === undefined ? undefined : Buffer.from(text);
}
