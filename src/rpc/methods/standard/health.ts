// The standard health service: Check, Watch and List for the server as a whole (`""`), every service of ours,
// `liveness` and `readiness`. The states are kept by grpc-health-check; its handlers are wrapped because it remembers
// every name that was ever watched and repeats names of any length in its errors, which no caller may make us do.

import type { Server, ServerWritableStream, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import { HealthImplementation, type ServingStatusMap } from 'grpc-health-check';

import { quote } from '../../errors/call-error.ts';
import { DIGGER_SERVICES, loadObjectService, RefusedRequest } from '../../services.ts';

/** Services that need the picture; StatusService answers without. */
const NEED_PICTURE: readonly string[] = [
  '',
  'readiness',
  'digger.v1.LookupService',
  'digger.v1.ChangeFeedService',
  'digger.v1.HistoryService',
];

const NAMES: ReadonlySet<string> = new Set(['', 'liveness', 'readiness', ...DIGGER_SERVICES]);

export class Health {
  readonly #implementation: HealthImplementation;
  #draining = false;

  /** Starts with `liveness` and StatusService serving, all else not. */
  constructor() {
    const initial: ServingStatusMap = {};
    for (const name of NAMES) initial[name] = NEED_PICTURE.includes(name) ? 'NOT_SERVING' : 'SERVING';
    this.#implementation = new HealthImplementation(initial);
  }

  /** The picture is complete (or not, any more). Without effect while draining. */
  setReady(ready: boolean): void {
    if (this.#draining) return;
    for (const name of NEED_PICTURE) this.#implementation.setStatus(name, ready ? 'SERVING' : 'NOT_SERVING');
  }

  /** For good: nothing but `liveness` serves any more. The process is alive until it ends. */
  drain(): void {
    this.#draining = true;
    for (const name of NAMES) {
      if (name !== 'liveness') this.#implementation.setStatus(name, 'NOT_SERVING');
    }
  }

  addTo(server: Server): void {
    const definition = loadObjectService('grpc/health/v1/health.proto', 'grpc.health.v1.Health');
    const recorder = {
      addService(_definition: ServiceDefinition, handlers: UntypedServiceImplementation) {
        server.addService(definition, guard(handlers));
      },
    };
    // It only ever calls addService.
    this.#implementation.addToServer(recorder as unknown as Server);
  }
}

type Handler = (call: { readonly request: { readonly service: string } | RefusedRequest }, callback: Callback) => void;
type Callback = (error: { code: number; details: string } | null, value?: object) => void;

function guard(handlers: UntypedServiceImplementation): UntypedServiceImplementation {
  const { check, list, watch } = handlers as unknown as {
    check: Handler;
    list: Handler;
    watch: (call: object) => void;
  };
  return {
    check: ((call, callback) => {
      const { request } = call;
      if (request instanceof RefusedRequest) callback({ code: request.error.code, details: request.error.message });
      else if (NAMES.has(request.service)) check(call, callback);
      else callback({ code: status.NOT_FOUND, details: `no service "${quote(request.service)}"` });
    }) satisfies Handler,
    list: ((call, callback) => list(call, callback)) satisfies Handler,
    watch: (call: ServerWritableStream<{ service: string } | RefusedRequest, object>) => {
      const { request } = call;
      if (request instanceof RefusedRequest) {
        call.emit('error', { code: request.error.code, details: request.error.message });
      } else if (NAMES.has(request.service)) {
        watch(call);
      } else {
        // The set of names never changes, so there is nothing to watch for: say so, and stay open as the protocol asks.
        call.write({ status: 'SERVICE_UNKNOWN' });
      }
    },
  } as unknown as UntypedServiceImplementation;
}
