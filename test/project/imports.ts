// The rules of imports between the rooms of src, as functions over a graph of files.

import { dirname } from 'node:path';

/** A file of src, relative to the repository → the files that it imports. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

const MODEL_ROOMS = ['model', 'model/ip', 'model/kubernetes', 'model/namespaces'];
const EVERYWHERE = ['collections', ...MODEL_ROOMS, 'telemetry'];
const KUBE_ROOMS = ['kube', 'kube/transport', 'kube/credentials', 'kube/decoding', 'kube/reflector'];
/** From the bottom up. */
const CATALOG_ROOMS = ['records', 'owners', 'entities', 'joining'].map((room) => `catalog/${room}`);
const ADDRESS_ROOMS = ['ranges', 'claims', 'judging', 'heritage'].map((room) => `addresses/${room}`);
/** From the bottom up. */
const FEED_ROOMS = ['log', 'tokens', 'reading', 'subscriptions'].map((room) => `feed/${room}`);
const METHOD_ROOMS = ['answers', 'requests', 'standard'].map((room) => `rpc/methods/${room}`);
const RPC_ROOMS = ['', '/errors', '/methods', '/calls', '/limits', '/tls', '/auth', '/threads'].map(
  (room) => `rpc${room}`,
);
const RPC_SOURCES = [...EVERYWHERE, 'wire', 'catalog', 'addresses', 'feed', 'otel', 'timelines', 'containers'];

/** Room → rooms that it may import, beside itself. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  collections: [],
  package: [],
  model: [],
  'model/ip': [],
  'model/kubernetes': ['model/ip'],
  'model/namespaces': ['model'],
  telemetry: ['model/ip'],
  options: ['model', 'model/ip', 'model/namespaces'],
  wire: [...MODEL_ROOMS, 'package', 'timelines'],
  client: ['model', 'model/ip', 'model/kubernetes', 'timelines', 'wire'],
  timelines: ['collections', 'model', 'model/ip', 'model/kubernetes'],
  kube: [...EVERYWHERE, ...KUBE_ROOMS],
  'kube/transport': [...EVERYWHERE, 'kube', 'kube/credentials'],
  'kube/credentials': [...EVERYWHERE, 'kube'],
  'kube/decoding': [...EVERYWHERE, 'package', 'kube'],
  'kube/reflector': [...EVERYWHERE, ...KUBE_ROOMS],
  catalog: [...EVERYWHERE, 'wire', ...CATALOG_ROOMS],
  'catalog/records': [...EVERYWHERE, 'catalog'],
  'catalog/owners': [...EVERYWHERE, 'wire', 'catalog/records'],
  'catalog/entities': [...EVERYWHERE, 'wire', 'catalog/records', 'catalog/owners'],
  'catalog/joining': [...EVERYWHERE, 'wire', ...CATALOG_ROOMS],
  networks: [...EVERYWHERE],
  containers: [...EVERYWHERE, 'wire'],
  balancers: [...EVERYWHERE],
  otel: [],
  addresses: [...EVERYWHERE, 'catalog', 'timelines', ...ADDRESS_ROOMS],
  'addresses/ranges': [...EVERYWHERE, 'timelines'],
  'addresses/claims': [...EVERYWHERE, 'timelines', 'addresses'],
  'addresses/judging': [...EVERYWHERE, 'timelines', 'addresses/claims'],
  'addresses/heritage': [...EVERYWHERE, 'timelines', ...ADDRESS_ROOMS],
  feed: [...EVERYWHERE, 'wire', ...FEED_ROOMS],
  'feed/log': [...EVERYWHERE, 'wire'],
  'feed/tokens': [...EVERYWHERE, 'wire'],
  'feed/reading': [...EVERYWHERE, 'wire', 'feed/log', 'feed/tokens'],
  'feed/subscriptions': [...EVERYWHERE, 'wire', 'feed/log', 'feed/tokens', 'feed/reading'],
  'feed/timelines': [
    ...EVERYWHERE,
    'wire',
    'timelines',
    'catalog',
    'addresses',
    'addresses/claims',
    'feed',
    'feed/log',
  ],
  'grpc-client': [],
  health: ['model', 'kube', 'kube/reflector'],
  handover: [...EVERYWHERE, 'wire', 'addresses', 'addresses/claims', 'addresses/heritage'],
  page: ['model', 'model/ip', 'model/namespaces', 'package', 'addresses', 'catalog'],
  rpc: [...RPC_SOURCES, ...RPC_ROOMS, ...METHOD_ROOMS],
  'rpc/errors': [...EVERYWHERE, 'wire'],
  'rpc/methods': [...RPC_SOURCES, 'feed/subscriptions', ...RPC_ROOMS, ...METHOD_ROOMS],
  'rpc/methods/answers': [...EVERYWHERE, 'wire', 'catalog', 'addresses', 'otel', 'timelines', 'rpc/errors'],
  'rpc/methods/requests': [...EVERYWHERE, 'wire', 'addresses', 'rpc/errors', 'rpc/methods/answers'],
  'rpc/methods/standard': [...EVERYWHERE, 'wire', 'rpc', 'rpc/errors'],
  'rpc/calls': [...RPC_SOURCES, ...RPC_ROOMS],
  'rpc/limits': [...EVERYWHERE, 'rpc/errors', 'rpc/calls', 'rpc/auth'],
  'rpc/threads': [...EVERYWHERE, 'package', 'rpc', 'rpc/calls', 'rpc/limits', 'rpc/tls'],
  'rpc/tls': [...EVERYWHERE],
  'rpc/auth': [...EVERYWHERE, 'rpc/errors', 'rpc/calls', 'rpc/limits', 'rpc/tls'],
  'simulator/server': ['package', 'telemetry', 'wire'],
  'simulator/demo': ['simulator/server'],
};

/**
 * The files of a room that another room may import when it may not have the rest of it: importing room → room → files.
 */
const ONLY: Readonly<Record<string, readonly string[]>> = {
  'catalog/records→catalog': ['src/catalog/pacer.ts'],
  'addresses→catalog': ['src/catalog/reader.ts'],
  'addresses/claims→addresses': ['src/addresses/holder-workload.ts'],
  // How the work on a large change is cut into slices.
  'feed/timelines→catalog': ['src/catalog/pacer.ts'],
  'health→kube': ['src/kube/list-cause.ts'],
  'health→kube/reflector': ['src/kube/reflector/reflector-status.ts'],
  'page→addresses': ['src/addresses/reader.ts'],
  'page→catalog': ['src/catalog/reader.ts'],
  'rpc→catalog': ['src/catalog/reader.ts'],
  'rpc/methods→catalog': ['src/catalog/reader.ts'],
  'rpc/methods→feed/subscriptions': ['src/feed/subscriptions/frame-sink.ts'],
  'rpc/methods/answers→catalog': ['src/catalog/reader.ts'],
  'rpc/methods/answers→addresses': ['src/addresses/reader.ts', 'src/addresses/holder-workload.ts'],
  'rpc/methods/requests→addresses': ['src/addresses/reader.ts'],
  // The key under which the answers that are kept are found, made of the bytes of a request.
  'rpc/methods/requests→rpc/methods/answers': ['src/rpc/methods/answers/plain-answers.ts'],
  'rpc/methods/standard→rpc': ['src/rpc/services.ts', 'src/rpc/generated/descriptor-set.ts'],
  // What every room below may use of kube; the rest of its top builds on the rooms.
  'kube/transport→kube': ['src/kube/clock.ts', 'src/kube/retry-after.ts', 'src/kube/wire-error.ts'],
  'kube/credentials→kube': ['src/kube/clock.ts'],
  'kube/decoding→kube': ['src/kube/wire-error.ts'],
  'kube/reflector→kube': [
    'src/kube/answer-limit.ts',
    'src/kube/clock.ts',
    'src/kube/list-cause.ts',
    'src/kube/retry-after.ts',
    'src/kube/wire-error.ts',
    'src/kube/resources.ts',
  ],
};

/** The process edge, the composition root with its parts, and the commands connect rooms; that is what they are for. */
const CONNECTING = new Set(['', 'composition', 'cli', 'cli/line', 'cli/ask']);

/** `kube/transport` of `src/kube/transport/dial.ts`; generated code belongs to the room above it. */
function roomOf(file: string): string {
  const folder = dirname(file).replace(/^src\/?/, '');
  return folder.replace(/\/?generated(\/.*)?$/, '');
}

/** Rooms that the table does not know. */
export function unknownRooms(graph: ImportGraph): string[] {
  const rooms = new Set([...graph.keys()].map(roomOf).filter((room) => !CONNECTING.has(room)));
  return [...rooms].filter((room) => ALLOWED[room] === undefined);
}

/** One line for each import against the directions. */
export function forbiddenImports(graph: ImportGraph): string[] {
  return [...graph].flatMap(([file, targets]) =>
    targets.flatMap((target) => {
      const from = roomOf(file);
      if (!target.startsWith('src/')) return [`${file} imports ${target}, which is not in src`];
      const to = roomOf(target);
      if (from === to || CONNECTING.has(from) || ALLOWED[from] === undefined) return [];
      if (!ALLOWED[from].includes(to)) {
        return [`${file} imports ${target}: ${from} may not import ${to || 'the top of src'}`];
      }
      if (ONLY[`${from}→${to}`]?.includes(target) === false) {
        return [`${file} imports ${target}: ${from} may import only the reading side of ${to}`];
      }
      return [];
    }),
  );
}

/**
 * Circles of imports, each as a way that ends where it begins: one for each set of files that all reach one another
 * (strongly connected components, Tarjan 1972).
 */
export function circlesIn(graph: ImportGraph): string[] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const circles: string[] = [];
  const visit = (file: string): void => {
    order.set(file, order.size);
    lowest.set(file, order.size - 1);
    stack.push(file);
    for (const target of graph.get(file) ?? []) {
      if (!order.has(target)) visit(target);
      // A file that left the stack belongs to a finished component.
      if (stack.includes(target)) lowest.set(file, Math.min(lowest.get(file) ?? 0, lowest.get(target) ?? 0));
    }
    if (lowest.get(file) !== order.get(file)) return;
    const component = stack.splice(stack.indexOf(file));
    if (component.length > 1 || graph.get(file)?.includes(file) === true) {
      circles.push(wayAround(graph, new Set(component)));
    }
  };
  for (const file of graph.keys()) if (!order.has(file)) visit(file);
  // Generated types name one another as their messages do.
  return circles.filter((circle) => !circle.includes('/generated/'));
}

/** Some way through the component that comes back to where it was. */
function wayAround(graph: ImportGraph, component: ReadonlySet<string>): string {
  const way: string[] = [];
  let file = [...component].toSorted()[0];
  while (file !== undefined && !way.includes(file)) {
    way.push(file);
    file = graph.get(file)?.find((target) => component.has(target));
  }
  return [...way.slice(way.indexOf(file ?? '')), file].join(' → ');
}
