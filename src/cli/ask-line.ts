// The command lines of `digger resolve` and `digger watch`: what is asked, of which service, shown in which form.
//
// As everywhere, every problem is found before any is reported. These commands read no environment variables: what
// configures a service must not change what a person asks.

import { parseArgs } from 'node:util';
import { durationBetween, oneOf, type Parsed, type Parser, parseName, parsePath } from '../options/values.ts';
import {
  type AddressAndPort,
  momentBefore,
  parseAddressAndPort,
  parseKind,
  parseLabel,
  parseServiceAddress,
} from './ask-values.ts';
import type { ConnectionOptions } from './connection.ts';
import { type ConnectionSecurity, findSecurityProblems } from './connection-security.ts';
import { EXIT_CODES } from './exit-codes.ts';

/** `auto`: a table on a terminal, else JSON lines. */
export type OutputForm = 'auto' | 'table' | 'json';

export interface ResolveOrder {
  readonly command: 'resolve';
  readonly connection: ConnectionOptions;
  readonly output: OutputForm;
  readonly question: AddressAndPort;
  /** ms since the epoch; unset: now. */
  readonly atMs: number | undefined;
  readonly waitMs: number;
  /** `PROTOCOL_TCP`. */
  readonly protocol: string | undefined;
}

export interface WatchOrder {
  readonly command: 'watch';
  readonly connection: ConnectionOptions;
  readonly output: OutputForm;
  /** `ENTITY_KIND_POD`. */
  readonly kinds: readonly string[];
  readonly namespaces: readonly string[];
  readonly nodes: readonly string[];
  readonly labels: readonly (readonly [key: string, value: string])[];
  readonly snapshotOnly: boolean;
}

export type AskLine =
  | { readonly action: 'ask'; readonly order: ResolveOrder | WatchOrder }
  | { readonly action: 'print'; readonly text: string }
  | { readonly action: 'refuse'; readonly problems: readonly string[] };

/** The commands, with their descriptions for `digger --help`. */
export const ASK_COMMANDS: Readonly<Record<AskCommand, string>> = {
  resolve: 'ask a running service who is behind an address',
  watch: 'show what a running service knows, and every change of it',
};

/** `args`: what stands behind `digger`; `undefined` when that is no command of these. */
export function parseAskLine(args: readonly string[], nowMs: number): AskLine | undefined {
  const [command, ...rest] = args;
  if (!isAskCommand(command)) return undefined;
  if (rest.includes('--help') || rest.includes('-h')) return { action: 'print', text: askHelp(command) };
  const reading = new Reading(command, rest);
  const connection: ConnectionOptions = {
    address: reading.last('address', parseServiceAddress) ?? '',
    timeoutMs: reading.last('timeout', durationBetween('100ms', '10m')) ?? 0,
    ...readSecurity(reading),
  };
  if (connection.security !== undefined) {
    reading.problems.push(...findSecurityProblems(connection.security, connection.address));
  }
  const output = reading.last('output', oneOf('auto', 'table', 'json')) ?? 'auto';
  let order: ResolveOrder | WatchOrder;
  switch (command) {
    case 'resolve':
      order = {
        command,
        connection,
        output,
        question: reading.theOnlyWord(parseAddressAndPort) ?? { address: '', port: undefined },
        atMs: reading.last('at', momentBefore(nowMs)),
        waitMs: reading.last('wait', durationBetween('0s', '30s')) ?? 0,
        protocol: toProtocol(reading.last('protocol', oneOf('tcp', 'udp', 'sctp'))),
      };
      break;
    case 'watch':
      reading.noWords();
      order = {
        command,
        connection,
        output,
        kinds: reading.all('kind', parseKind),
        namespaces: reading.all('namespace', parseName),
        nodes: reading.all('node', parseName),
        labels: reading.all('label', parseLabel),
        snapshotOnly: reading.given('snapshot-only'),
      };
  }
  return reading.problems.length > 0 ? { action: 'refuse', problems: reading.problems } : { action: 'ask', order };
}

type AskCommand = 'resolve' | 'watch';

interface AskOption {
  /** Empty for a switch. */
  readonly placeholder: string;
  readonly meaning: string;
  readonly defaultText?: string;
}

const SHARED: Readonly<Record<string, AskOption>> = {
  address: { placeholder: 'host:port', meaning: 'where the service is', defaultText: '127.0.0.1:50051' },
  tls: { placeholder: '', meaning: 'speak TLS, and trust the CAs of this system' },
  'tls-ca': { placeholder: 'path', meaning: 'speak TLS, and trust this CA only, PEM' },
  'tls-cert': { placeholder: 'path', meaning: 'client certificate to show, PEM; speaks TLS' },
  'tls-key': { placeholder: 'path', meaning: 'private key of --tls-cert, PEM' },
  'token-file': { placeholder: 'path', meaning: 'file with the bearer token to show, over TLS' },
  timeout: { placeholder: 'duration', meaning: 'how long the service may be silent', defaultText: '10s' },
  output: {
    placeholder: 'form',
    meaning: 'table, json (one object a line), auto: table on a terminal',
    defaultText: 'auto',
  },
};

const OPTIONS_OF: Readonly<Record<AskCommand, Readonly<Record<string, AskOption>>>> = {
  resolve: {
    at: {
      placeholder: 'time',
      meaning: 'the moment asked about, or how long ago: 2026-01-31T12:00:00Z, 90s; unset: now',
    },
    wait: {
      placeholder: 'duration',
      meaning: 'when nobody holds the address, wait for a holder, up to 30s',
      defaultText: '0s',
    },
    protocol: { placeholder: 'protocol', meaning: 'tcp, udp or sctp; unset: any' },
    ...SHARED,
  },
  watch: {
    kind: { placeholder: 'kind', meaning: 'pod, service, node or workload; repeatable; unset: all' },
    namespace: { placeholder: 'name', meaning: 'only in this namespace; repeatable' },
    node: { placeholder: 'name', meaning: 'only on this node; repeatable' },
    label: { placeholder: 'key=value', meaning: 'only with this label; repeatable, all have to match' },
    'snapshot-only': { placeholder: '', meaning: 'end when the picture is complete' },
    ...SHARED,
  },
};

const USAGE: Readonly<Record<AskCommand, string>> = {
  resolve: `Usage: digger resolve ADDRESS[:PORT] [options]

Asks a running service who is behind an address, now or at a moment of the past.
ADDRESS is IPv4 or IPv6; IPv6 with a port stands in brackets: [fd00::1]:80.`,
  watch: `Usage: digger watch [options]

Shows what a running service knows, then every change, until it is stopped. Progress and
interruptions are told on stderr; a lost connection is continued where it ended.`,
};

/** What `digger resolve --help` prints. */
export function askHelp(command: AskCommand): string {
  const rows: [string, string][] = Object.entries(OPTIONS_OF[command]).map(([name, option]) => [
    option.placeholder === '' ? `--${name}` : `--${name} <${option.placeholder}>`,
    option.defaultText === undefined ? option.meaning : `${option.meaning} [default ${option.defaultText}]`,
  ]);
  rows.push(['-h, --help', 'print this help and exit']);
  const width = Math.max(...rows.map(([term]) => term.length));
  const options = rows.map(([term, meaning]) => `  ${term.padEnd(width)}  ${meaning}`);
  const codes = EXIT_CODES.map(([code, meaning]) => `  ${code}  ${meaning}`);
  return `${USAGE[command]}\n\nOptions:\n${options.join('\n')}\n\nExit codes:\n${codes.join('\n')}\n`;
}

/** Nothing, when nothing of it was given. */
function readSecurity(reading: Reading): { readonly security?: ConnectionSecurity } {
  const path = (name: string): string | undefined => reading.last(name, parsePath);
  const [caPath, certPath, keyPath, tokenPath] = [
    path('tls-ca'),
    path('tls-cert'),
    path('tls-key'),
    path('token-file'),
  ];
  const tls = reading.given('tls') || caPath !== undefined || certPath !== undefined || keyPath !== undefined;
  if (!tls && tokenPath === undefined) return {};
  return { security: { tls, caPath, certPath, keyPath, tokenPath } };
}

function isAskCommand(word: string | undefined): word is AskCommand {
  return word !== undefined && Object.hasOwn(ASK_COMMANDS, word);
}

function toProtocol(text: string | undefined): string | undefined {
  return text === undefined ? undefined : `PROTOCOL_${text.toUpperCase()}`;
}

/** The words of one command line, and what is wrong with them. */
class Reading {
  readonly problems: string[] = [];
  readonly #words: readonly string[];
  readonly #texts = new Map<string, (string | undefined)[]>();
  readonly #options: Readonly<Record<string, AskOption>>;

  constructor(command: AskCommand, args: readonly string[]) {
    const known = OPTIONS_OF[command];
    this.#options = known;
    const options = Object.fromEntries(
      Object.entries(known).map(([name, { placeholder }]) => [
        name,
        { type: placeholder === '' ? ('boolean' as const) : ('string' as const) },
      ]),
    );
    const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
    const words: string[] = [];
    for (const token of tokens) {
      if (token.kind === 'positional') words.push(token.value);
      if (token.kind !== 'option') continue;
      if (!Object.hasOwn(known, token.name)) {
        this.problems.push(`${token.rawName}: unknown option; allowed are those that digger ${command} --help lists`);
      } else if (known[token.name]?.placeholder === '' && token.value !== undefined) {
        this.problems.push(`${token.rawName}: takes no value`);
      } else this.#texts.set(token.name, [...(this.#texts.get(token.name) ?? []), token.value]);
    }
    this.#words = words;
  }

  given(name: string): boolean {
    return this.#texts.has(name);
  }

  all<T>(name: string, parse: Parser<T>): readonly T[] {
    const { defaultText } = this.#options[name] ?? {};
    const texts = this.#texts.get(name) ?? (defaultText === undefined ? [] : [defaultText]);
    return texts.flatMap((text) => {
      if (text === undefined) {
        this.problems.push(`--${name}: needs a value`);
        return [];
      }
      const value = this.#value(`--${name}`, text, parse(text));
      return value === undefined ? [] : [value];
    });
  }

  /** A flag given twice means its last value. */
  last<T>(name: string, parse: Parser<T>): T | undefined {
    return this.all(name, parse).at(-1);
  }

  theOnlyWord<T>(parse: Parser<T>): T | undefined {
    const [word, ...more] = this.#words;
    for (const unexpected of more) this.problems.push(`${unexpected}: one address at a time`);
    if (word === undefined) {
      this.problems.push('an address is missing: digger resolve 10.0.0.1:80');
      return undefined;
    }
    return this.#value('address', word, parse(word));
  }

  noWords(): void {
    for (const word of this.#words) this.problems.push(`${word}: not expected; filters are options, see --help`);
  }

  #value<T>(shown: string, given: string, parsed: Parsed<T>): T | undefined {
    if (parsed.ok) return parsed.value;
    this.problems.push(`${shown}: got ${JSON.stringify(given)}, allowed is ${parsed.allowed}`);
    return undefined;
  }
}
