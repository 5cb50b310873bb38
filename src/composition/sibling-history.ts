// The history between replicas of one cluster: this one takes that of a sibling over when it starts (`--history-from`),
// and hands its own to those that start later.

import type { Registry } from '@prometheus-io/client';
import type { HolderEntity } from '../addresses/claims/claim.ts';
import type { Heritage } from '../addresses/heritage/heritage.ts';
import { type ConnectionSecurity, findSecurityProblems } from '../grpc-client/connection-security.ts';
import { Giver } from '../handover/giver.ts';
import { registerHandoverMetrics } from '../handover/metrics.ts';
import { Positions } from '../handover/positions.ts';
import { type Setting, toSettings } from '../handover/settings.ts';
import { Taker, type TakerStatus } from '../handover/taker.ts';
import type { ChangeBatch } from '../model/changes.ts';
import type { FormerOwner } from '../model/kubernetes/records.ts';
import type { Config } from '../options/options.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface SiblingHistoryOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly epoch: Uint8Array;
  /** Empty: not known. */
  readonly clusterUid: () => string;
  readonly past: Heritage;
  /** Moments before this one are not known here. */
  readonly beganMs: () => number;
  /** The object is there now. */
  readonly isLive: (uid: string) => boolean;
  /** Owners that are gone: those that are known here, and more of them. */
  readonly formerOwners: (nowMs: number) => Iterable<FormerOwner>;
  readonly inheritOwners: (formers: readonly FormerOwner[], nowMs: number) => number;
}

/** What a history takes beside ended claims: the beginnings of those that are open, 100 bytes each. */
const OPEN_CLAIMS_BYTES = 128 * 1024 * 1024;

export class SiblingHistory {
  readonly giver: Giver;
  readonly #options: SiblingHistoryOptions;
  readonly #taker: Taker | undefined;
  readonly #positions = new Positions();
  readonly #stopping = new AbortController();
  #formers: readonly HolderEntity[] = [];

  constructor(options: SiblingHistoryOptions) {
    this.#options = options;
    const { config, epoch, clusterUid, past, registry, formerOwners } = options;
    const settings = toSettings(settingsOf(config));
    this.#taker = config.historyFrom.length === 0 ? undefined : this.#createTaker(settings);
    this.giver = new Giver({
      past: { facts: () => past.facts(), claims: () => past.claims(), owners: () => formerOwners(Date.now()) },
      positions: this.#positions,
      epoch,
      clusterUid,
      settings,
      isSettled: () => this.#taker?.isSettled !== false,
      now: Date.now,
    });
    registerHandoverMetrics(registry, this.giver, this.#taker);
  }

  /** `undefined`: none was asked for. */
  get status(): TakerStatus | undefined {
    return this.#taker?.status;
  }

  /** To be called with every change of the cluster. */
  note(batch: ChangeBatch): void {
    this.#positions.note(batch);
  }

  /** The picture is complete. `inherited` is told of the objects that are gone and are named by the history. */
  async take(inherited: (formers: readonly HolderEntity[]) => void): Promise<void> {
    await this.#taker?.run(this.#stopping.signal);
    inherited(this.#formers);
    this.#formers = [];
  }

  stop(): void {
    this.#stopping.abort();
  }

  #createTaker(settings: readonly Setting[]): Taker {
    const { config, epoch, clusterUid, past, beganMs, isLive, inheritOwners, logger } = this.#options;
    const security: ConnectionSecurity = {
      tls: config.historyFromTls || config.historyFromTlsCa !== undefined,
      caPath: config.historyFromTlsCa,
      certPath: config.historyFromTlsCert,
      keyPath: config.historyFromTlsKey,
      tokenPath: config.historyFromTokenFile,
    };
    return new Taker({
      places: config.historyFrom,
      // Loaded only here: it needs gRPC, which most starts load later.
      createCredentials: async () =>
        (await import('../grpc-client/connection-credentials.ts')).createChannelCredentials(security),
      createMetadata: async (target) => {
        const [problem] = findSecurityProblems({ ...security, certPath: undefined, keyPath: undefined }, target);
        if (problem !== undefined) throw new Error('the token is shown over TLS only, see --history-from-tls-ca');
        return (await import('../grpc-client/connection-credentials.ts')).createCallMetadata(security);
      },
      serverName: config.historyFromServerName,
      waitMs: config.historyFromWaitMs,
      maxBytes: config.maxHistoryMemoryBytes + OPEN_CLAIMS_BYTES,
      question: () => ({ epoch, clusterUid: clusterUid(), settings, positions: this.#positions.told() }),
      beganMs,
      isWorthIt: (uid) => past.knows(uid),
      inherit: (history) => {
        // First, so that timelines are written with the workloads that follow from it.
        const owners = inheritOwners(history.owners, Date.now());
        const inheritance = past.inherit(history, isLive);
        this.#formers = inheritance.formerEntities;
        logger.debug(
          { ...inheritance, owners, formerEntities: inheritance.formerEntities.length },
          'joined two histories',
        );
        return inheritance;
      },
      now: Date.now,
      logger,
    });
  }
}

/** What decides which claims there are, and what of objects is told. */
function settingsOf(config: Config): Readonly<Record<string, unknown>> {
  return {
    '--namespace': config.namespaces.toSorted(),
    '--deny-annotation': config.denyAnnotations.toSorted(),
    '--allow-annotation': config.allowAnnotations.toSorted(),
    '--deny-label': config.denyLabels.toSorted(),
    '--allow-label': config.allowLabels.toSorted(),
    '--max-value-bytes': config.maxValueBytes,
    // Only where there are some, so that replicas of versions without this setting still hand over to one another.
    ...(config.namespaceRules.length === 0 ? {} : { '--namespace-rule': config.namespaceRules }),
  };
}
