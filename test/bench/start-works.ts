// Which work a frame of a profile of a start belongs to: by the file of the nearest frame of ours, because what Node's
// own code and the engine's do is done for the one who called it.

/** The works of a start, in the order in which a pod passes them; then what belongs to no pod. */
export const WORKS = [
  'reading',
  'inflating',
  'framing',
  'decoding',
  'interning',
  'drafting',
  'encoding',
  'joining',
  'claiming',
  'telling',
  'collecting',
  'following',
  'starting',
  'others',
  'waiting',
] as const;

export type Work = (typeof WORKS)[number];

/** What a profile says of a call. */
export interface Frame {
  readonly functionName: string;
  readonly url: string;
}

/** First match counts; paths below `dist/`. */
const BY_PATH: readonly (readonly [RegExp, Work])[] = [
  [/\/kube\/transport\/gunzip/, 'inflating'],
  [/\/kube\/transport\//, 'reading'],
  [/\/kube\/decoding\/(?:interning-reader|string-interner)|\/catalog\/records\/text-interner/, 'interning'],
  [/\/kube\/decoding\/(?:byte-queue|envelope|watch-body|list-body|json-list-scanner)/, 'framing'],
  [/\/kube\/decoding\/|protobufjs/, 'decoding'],
  [/\/kube\/(?:reflector|cluster-watch)|\/catalog\/pacer|\/health\//, 'following'],
  [/\/kube\/|\/options\//, 'starting'],
  [/\/catalog\/(?:records|hidden)|\/model\/namespaces|\/catalog\/entities\/\w+-state/, 'drafting'],
  [/\/wire\/|\/model\/byte-string/, 'encoding'],
  [/\/feed\/(?!timelines)|\/model\/entity-key/, 'telling'],
  [/\/model\/ip\/|\/addresses\/|\/timelines\//, 'claiming'],
  [/\/catalog\//, 'joining'],
  [/\/rpc\/|\/telemetry\/|\/cli\/|\/main\.|grpc|pino|prometheus|js-yaml/, 'starting'],
];

/** protobufjs compiles a function for each message, which has no file. */
const FRAMES = /^(?:WatchEvent|Unknown|RawExtension|TypeMeta)\$decode$/;
const MESSAGES = /\$decode$/;

/** Modules of Node, for what none of our functions called: a callback of the event loop. */
const BY_MODULE: readonly (readonly [RegExp, Work])[] = [
  [/^node:(?:zlib|internal\/zlib)/, 'inflating'],
  [/^node:(?:internal\/modules|internal\/bootstrap|internal\/process\/(?:esm|pre)|internal\/vm|vm)/, 'starting'],
  [/^node:(?:internal\/)?(?:http2|streams?|net|tls|_tls|stream_base|events|buffer|js_stream|async)/, 'reading'],
];

/** `stack`: the frame itself first, then those that called it. */
export function workOf(stack: readonly Frame[]): Work {
  const [frame] = stack;
  switch (frame?.functionName) {
    case '(idle)':
      return 'waiting';
    case '(garbage collector)':
      return 'collecting';
    // Native code that JavaScript did not call: TLS, HTTP/2, system calls.
    case '(program)':
      return 'reading';
    default:
      return byFile(stack) ?? byModule(stack) ?? 'others';
  }
}

function byFile(stack: readonly Frame[]): Work | undefined {
  for (const { functionName, url } of stack) {
    if (FRAMES.test(functionName)) return 'framing';
    if (MESSAGES.test(functionName)) return 'decoding';
    if (url === '' || url.startsWith('node:')) continue;
    return BY_PATH.find(([pattern]) => pattern.test(url))?.[1] ?? 'others';
  }
  return undefined;
}

function byModule(stack: readonly Frame[]): Work | undefined {
  for (const { url } of stack.toReversed()) {
    const found = BY_MODULE.find(([pattern]) => pattern.test(url));
    if (found !== undefined) return found[1];
  }
  return undefined;
}
