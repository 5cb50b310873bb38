// digger_watch_*: what each reflector says about itself, read at scrape time.

import { Counter, Gauge, type Registry } from '@prometheus-io/client';
import type { CustomKindsStats } from './custom-kinds.ts';
import { RESTART_REASONS } from './reflector/failure.ts';
import type { ReflectorState, ReflectorStatus } from './reflector/reflector-status.ts';
import type { ReceivedBytes } from './transport/transport.ts';

const STATES: readonly ReflectorState[] = ['idle', 'listing', 'watching', 'backing-off', 'stopped'];

/** Registers the metrics; `statuses` is called at every scrape and must be cheap. */
export function registerWatchMetrics(registry: Registry, statuses: () => readonly ReflectorStatus[]): void {
  const registers = [registry];
  const labelNames = ['resource'] as const;

  const counter = (name: string, help: string, value: (status: ReflectorStatus) => number) =>
    new Counter({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const status of statuses()) this.inc({ resource: status.resource }, value(status));
      },
    });
  counter('digger_watch_lists_total', 'Lists begun, pages not counted.', (status) => status.lists);
  counter('digger_watch_watches_total', 'Watches begun.', (status) => status.watches);
  counter('digger_watch_events_total', 'Watch events received, bookmarks included.', (status) => status.events);

  new Counter({
    name: 'digger_watch_restarts_total',
    help: 'Lists and watches that ended otherwise than planned, by reason.',
    labelNames: ['resource', 'reason'] as const,
    registers,
    collect() {
      this.reset();
      for (const { resource, restarts } of statuses()) {
        // All of them from the start: a rate needs a first value.
        for (const reason of RESTART_REASONS) this.inc({ resource, reason }, 0);
        for (const [reason, times] of restarts) this.inc({ resource, reason }, times);
      }
    },
  });

  const gauge = (name: string, help: string, value: (status: ReflectorStatus) => number | undefined) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const status of statuses()) {
          const found = value(status);
          if (found !== undefined) this.set({ resource: status.resource }, found);
        }
      },
    });
  gauge('digger_watch_last_contact_timestamp_seconds', 'When the API server last sent anything.', (status) =>
    status.lastContactMs === undefined ? undefined : status.lastContactMs / 1000,
  );
  gauge('digger_watch_synced', '1 once the first list was applied.', (status) => Number(status.synced));
  gauge('digger_watch_unavailable', '1 while the API server refuses or lacks the resource.', (status) =>
    Number(status.unavailable),
  );

  new Gauge({
    name: 'digger_watch_state',
    help: '1 for the state that the reflector is in.',
    labelNames: ['resource', 'state'] as const,
    registers,
    collect() {
      this.reset();
      for (const status of statuses()) {
        for (const state of STATES) this.set({ resource: status.resource, state }, Number(status.state === state));
      }
    },
  });
}

/** What the API server sends; `received` is called at every scrape. */
export function registerTransportMetrics(
  registry: Registry,
  compression: boolean,
  received: () => ReceivedBytes,
): void {
  const registers = [registry];
  new Gauge({
    name: 'digger_cluster_compression',
    help: '1 where lists are asked for with gzip, see --cluster-compression.',
    registers,
  }).set(Number(compression));
  new Counter({
    name: 'digger_cluster_received_bytes_total',
    help: 'Bytes of answers of the API server as they came, by their encoding.',
    labelNames: ['encoding'] as const,
    registers,
    collect() {
      const { identity, gzip } = received();
      this.reset();
      this.inc({ encoding: 'identity' }, identity);
      this.inc({ encoding: 'gzip' }, gzip);
    },
  });
  new Counter({
    name: 'digger_cluster_inflated_bytes_total',
    help: 'What the bytes that came with gzip were inflated to.',
    registers,
    collect() {
      this.reset();
      this.inc(received().inflated);
    },
  });
}

/** Kinds that turned up as owners; `stats` is called at every scrape. */
export function registerCustomKindMetrics(registry: Registry, stats: () => CustomKindsStats): void {
  const registers = [registry];
  new Gauge({
    name: 'digger_watch_custom_kinds',
    help: 'Kinds beyond the built-in ones that own pods: watched, not found by discovery, or gone since.',
    labelNames: ['state'] as const,
    registers,
    collect() {
      const { watched, undiscovered, gone } = stats();
      this.set({ state: 'watched' }, watched);
      this.set({ state: 'undiscovered' }, undiscovered);
      this.set({ state: 'gone' }, gone);
    },
  });
  new Counter({
    name: 'digger_watch_custom_kinds_ignored_total',
    help: 'References to kinds that were not followed because too many custom kinds own pods.',
    registers,
    collect() {
      this.reset();
      this.inc(stats().ignored);
    },
  });
  new Counter({
    name: 'digger_watch_custom_kinds_given_back_total',
    help: 'Places of custom kinds that are not served any more that others took.',
    registers,
    collect() {
      this.reset();
      this.inc(stats().givenBack);
    },
  });
}
