// Every command of digger: what it is for, its words and its options. The reader of command lines, `--help`, the
// completion of shells and the documentation all follow from the one table below.

import { environmentVariable } from '../../options/option.ts';
import { OPTION_NAMES, OPTIONS } from '../../options/options.ts';

export interface CommandOption {
  /** What stands for the value in help; empty for a switch. */
  readonly placeholder: string;
  readonly meaning: string;
  readonly defaultText?: string;
  /** One letter, `-n`. */
  readonly short?: string;
  /** Where only some values are allowed. */
  readonly values?: readonly string[];
}

export interface Command {
  /** One line for the list of commands. */
  readonly summary: string;
  /** What `digger COMMAND --help` begins with. */
  readonly usage: string;
  /** By long name, without dashes. */
  readonly options: Readonly<Record<string, CommandOption>>;
  /** Its first word, where only some are allowed. */
  readonly words?: readonly string[];
}

const SERVICE_OPTIONS: Readonly<Record<string, CommandOption>> = {
  ...Object.fromEntries(
    OPTION_NAMES.map((name) => {
      const { flag, placeholder, meaning, defaultText, arity } = OPTIONS[name];
      const notes = [environmentVariable(OPTIONS[name])];
      if (arity === 'many') notes.push('repeatable');
      else if (arity === 'one' && defaultText !== undefined) notes.push(`default ${defaultText}`);
      return [flag.slice(2), { placeholder, meaning: `${meaning} [${notes.join(', ')}]` }];
    }),
  ),
  'print-config': {
    placeholder: '',
    meaning: 'print the effective configuration as JSON, with the source of each value, and exit',
  },
};

const CLIENT_OPTIONS: Readonly<Record<string, CommandOption>> = {
  address: { placeholder: 'host:port', meaning: 'where the service is', defaultText: '127.0.0.1:50051' },
  tls: { placeholder: '', meaning: 'use TLS, and trust the CAs of this system' },
  'tls-ca': { placeholder: 'path', meaning: 'use TLS, and trust this CA only, PEM' },
  'tls-cert': { placeholder: 'path', meaning: 'client certificate to present, PEM; uses TLS' },
  'tls-key': { placeholder: 'path', meaning: 'private key of --tls-cert, PEM' },
  'tls-server-name': {
    placeholder: 'name',
    meaning: 'name that its certificate has to be for; unset: that of --address. For a port-forward; uses TLS',
  },
  'token-file': { placeholder: 'path', meaning: 'file with the bearer token to present, over TLS' },
  timeout: { placeholder: 'duration', meaning: 'how long the service may be silent', defaultText: '10s' },
};

/** `auto`: a table on a terminal, else JSON, one object a line. */
export const OUTPUT_FORMS = ['auto', 'table', 'wide', 'json', 'yaml'] as const;
export type OutputForm = (typeof OUTPUT_FORMS)[number];

const OUTPUT: CommandOption = {
  placeholder: 'form',
  meaning:
    'table, wide (a table with labels and more), json (one object a line), yaml; auto: table on a terminal, else json',
  defaultText: 'auto',
  short: 'o',
  values: OUTPUT_FORMS,
};

const WAIT: CommandOption = {
  placeholder: 'duration',
  meaning: 'wait up to this long, at most 30s, for what is not there yet',
  defaultText: '0s',
};

const NETWORK: CommandOption = {
  placeholder: 'name',
  meaning:
    "the secondary network that the address is on, as a pod's networks are named: NAMESPACE/NAME; unset: the cluster's",
};

/** What `digger get` asks for. */
export const OBJECT_KINDS = ['pod', 'service', 'node', 'workload', 'namespace'] as const;
export type ObjectKind = (typeof OBJECT_KINDS)[number];

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** In the order in which help shows them. */
export const COMMANDS = {
  serve: {
    summary: 'serve what the cluster of the kubeconfig (or the one that digger runs in) says; the default',
    usage: `Usage: digger [serve] [options]

Watches a cluster and serves lookups and the change feed over gRPC, until it is stopped.`,
    options: SERVICE_OPTIONS,
  },
  demo: {
    summary: 'start a simulated cluster in this process and serve that: needs no Kubernetes',
    usage: `Usage: digger demo [options]

Serves a simulated cluster in which something happens every second, and prints lines to try.`,
    options: SERVICE_OPTIONS,
  },
  resolve: {
    summary: 'ask a running service who is behind an address',
    usage: `Usage: digger resolve ADDRESS[:PORT] [options]
       digger resolve - [options] < addresses

Asks a running service who is behind an address, now or at a moment of the past.
ADDRESS is IPv4 or IPv6; IPv6 with a port is written in brackets: [fd00::1]:80.
With -, reads lines "ADDRESS[:PORT] [TIME]" from standard input and answers each with one
line, in their order; a line that cannot be asked about is answered with an error.`,
    options: {
      at: {
        placeholder: 'time',
        meaning: 'the moment asked about, or how long ago: 2026-01-31T12:00:00Z, 90s; unset: now',
      },
      wait: { ...WAIT, meaning: 'when nothing holds the address, wait for a holder, up to 30s' },
      otel: {
        placeholder: '',
        meaning:
          'with the resource attributes of OpenTelemetry; well-known labels (app.kubernetes.io/name) name the service',
      },
      network: NETWORK,
      replica: {
        placeholder: '',
        meaning: 'with -: copy what the service knows of addresses, wait until that is complete, and answer from it',
      },
      protocol: { placeholder: 'protocol', meaning: 'tcp, udp or sctp; unset: any', values: ['tcp', 'udp', 'sctp'] },
      output: OUTPUT,
      ...CLIENT_OPTIONS,
    },
  },
  history: {
    summary: 'ask a running service who was behind an address, through its whole history',
    usage: `Usage: digger history ADDRESS[:PORT] [options]

Shows who held an address, newest first, as far back as the service can tell.
ADDRESS is IPv4 or IPv6; IPv6 with a port is written in brackets: [fd00::1]:80.`,
    options: {
      network: NETWORK,
      protocol: { placeholder: 'protocol', meaning: 'tcp, udp or sctp; unset: any', values: ['tcp', 'udp', 'sctp'] },
      output: OUTPUT,
      ...CLIENT_OPTIONS,
    },
  },
  get: {
    summary: 'ask a running service for a pod, service, node, workload or namespace by name',
    usage: `Usage: digger get pod|service NAMESPACE/NAME [options]
       digger get node|namespace NAME [options]
       digger get workload KIND/NAME --namespace NAMESPACE [options]

Shows one object as the service knows it. KIND is deployment, statefulset, daemonset, replicaset, job, cronjob,
replicationcontroller, or the exact kind with its API group: Rollout.argoproj.io. -n may replace NAMESPACE/.`,
    options: {
      namespace: { placeholder: 'name', meaning: 'namespace of the object', short: 'n' },
      wait: WAIT,
      output: OUTPUT,
      ...CLIENT_OPTIONS,
    },
    words: OBJECT_KINDS,
  },
  container: {
    summary: 'ask a running service whose container it is, by the id of the container or the uid of its pod',
    usage: `Usage: digger container ID [options]
       digger container --pod-uid UID [options]

Shows the pod of a container, now or in the history: init, ephemeral and sidecar containers and those that ended
included. ID is the id of the container with or without its scheme (containerd://), or its first 12 digits or more.`,
    options: {
      'pod-uid': { placeholder: 'uid', meaning: 'ask for a pod by its uid instead' },
      wait: { ...WAIT, meaning: 'when there is no such container, wait for it, up to 30s' },
      otel: {
        placeholder: '',
        meaning:
          'with the resource attributes of OpenTelemetry; well-known labels (app.kubernetes.io/name) name the service',
      },
      output: OUTPUT,
      ...CLIENT_OPTIONS,
    },
  },
  watch: {
    summary: 'show what a running service knows, and every change of it',
    usage: `Usage: digger watch [options]

Shows what a running service knows, then every change, until it is stopped. Progress and
interruptions are told on stderr; a lost connection is continued where it ended.`,
    options: {
      kind: {
        placeholder: 'kind',
        meaning: 'pod, service, node, workload or namespace; repeatable; unset: all',
        values: OBJECT_KINDS,
      },
      namespace: { placeholder: 'name', meaning: 'only in this namespace; repeatable', short: 'n' },
      node: { placeholder: 'name', meaning: 'only on this node; repeatable' },
      label: {
        placeholder: 'selector',
        meaning:
          "only with matching labels, as kubectl -l takes it: app=web, 'tier in (a, b),!old'; repeatable, all count",
        short: 'l',
      },
      'namespace-selector': {
        placeholder: 'selector',
        meaning: "only in namespaces with matching labels, as kubectl -l takes it: 'env in (prod, test),!legacy'",
      },
      'with-label': {
        placeholder: 'key',
        meaning: 'show of labels only this one, or those of a domain: example.com/*; repeatable; * is all; unset: all',
      },
      'with-annotation': {
        placeholder: 'key',
        meaning: 'the same for annotations; when one of the two is given, nothing of the other is sent',
      },
      'snapshot-only': { placeholder: '', meaning: 'end when the picture is complete' },
      output: OUTPUT,
      ...CLIENT_OPTIONS,
    },
  },
  status: {
    summary: 'show how a running service is doing: what is synced, how stale, how many of each',
    usage: `Usage: digger status [options]

Shows whether a running service is ready, and for each watched resource whether it is synced and how stale it is.`,
    options: { output: OUTPUT, ...CLIENT_OPTIONS },
  },
  completion: {
    summary: 'print the completion script for a shell: bash, zsh or fish',
    usage: `Usage: digger completion bash|zsh|fish

Prints a script that completes commands and options. For bash: source <(digger completion bash)`,
    options: {},
    words: SHELLS,
  },
  help: {
    summary: 'print the help of a command',
    usage: 'Usage: digger help [COMMAND]',
    options: {},
  },
} as const satisfies Readonly<Record<string, Command>>;

export type CommandName = keyof typeof COMMANDS;
export const COMMAND_NAMES = Object.keys(COMMANDS) as readonly CommandName[];

export function isCommand(word: string | undefined): word is CommandName {
  return word !== undefined && Object.hasOwn(COMMANDS, word);
}

/** Of any command. */
export const SHARED_OPTIONS: Readonly<Record<string, CommandOption>> = {
  help: { placeholder: '', meaning: 'print this help and exit', short: 'h' },
  version: { placeholder: '', meaning: 'print the version and exit', short: 'v' },
};

/** All options of a command, by long name. */
export function optionsOf(command: CommandName): Readonly<Record<string, CommandOption>> {
  return { ...COMMANDS[command].options, ...SHARED_OPTIONS };
}
