// Plays the controllers of Jobs and CronJobs for the demo cluster.
//
// A Job runs for some steps; then its pods have succeeded and their addresses are free, while the objects stay for a
// while and go on showing them. Then the Job goes, and its pods with it. A lone Job comes back under its name with
// another uid, a CronJob starts the next one; both keep a bounded number of finished ones.

import type { Cluster } from '../server/cluster.ts';
import type { DemoWorkload } from './inventory.ts';
import type { DemoKubelet } from './kubelet.ts';
import { controllerReference } from './replicas.ts';
import { type KubernetesObject, type OwnerReference, toTimestamp } from '../server/stored-objects.ts';

export interface JobControllerOptions {
  readonly cluster: Cluster;
  readonly kubelet: DemoKubelet;
  readonly random: () => number;
  readonly now: () => number;
  readonly workload: DemoWorkload & { readonly kind: 'Job' | 'CronJob' };
}

interface RunningJob {
  readonly name: string;
  readonly uid: string;
  /** Steps since it began. */
  age: number;
  finished: boolean;
}

export class JobController {
  readonly workload: JobControllerOptions['workload'];
  readonly #options: JobControllerOptions;
  readonly #owner: OwnerReference | undefined;
  readonly #jobs: RunningJob[] = [];
  /** CronJobs name their Jobs by the minute of their start; the demo's minutes are shorter. */
  #started: number;
  #stepsUntilStart: number;

  constructor(options: JobControllerOptions) {
    this.#options = options;
    this.workload = options.workload;
    this.#started = Math.floor(options.now() / 60_000);
    const { namespace, name, kind } = options.workload;
    if (kind === 'CronJob') {
      const { uid } = options.cluster.create('cronjobs.batch', this.#cronJob()).metadata;
      this.#owner = controllerReference('batch/v1', 'CronJob', name, uid);
    }
    this.#stepsUntilStart = PAUSE_STEPS + Math.floor(options.random() * PAUSE_STEPS);
    this.#start(namespace);
  }

  step(): void {
    const { namespace } = this.workload;
    for (const job of [...this.#jobs]) {
      job.age += 1;
      if (!job.finished && job.age >= RUN_STEPS) {
        this.#finish(namespace, job);
      } else if (job.finished && job.age >= RUN_STEPS + KEEP_STEPS) {
        this.#delete(namespace, job);
      }
    }
    this.#stepsUntilStart -= 1;
    if (this.#stepsUntilStart <= 0 && (this.workload.kind === 'CronJob' || this.#jobs.length === 0)) {
      this.#start(namespace);
      this.#stepsUntilStart = PAUSE_STEPS;
    }
  }

  #start(namespace: string): void {
    const { cluster, kubelet } = this.#options;
    const { kind, template, replicas } = this.workload;
    this.#started += 1;
    const name = kind === 'CronJob' ? `${this.workload.name}-${this.#started}` : this.workload.name;
    const { uid } = cluster.create('jobs.batch', this.#job(name, false)).metadata;
    this.#jobs.push({ name, uid, age: 0, finished: false });
    const owner = controllerReference('batch/v1', 'Job', name, uid);
    const labels = { ...template.labels, 'batch.kubernetes.io/job-name': name, 'job-name': name };
    for (let index = 0; index < replicas; index++) {
      const podName = kubelet.generateName(namespace, name);
      kubelet.create({ namespace, name: podName, template: { ...template, labels }, owner, runsToCompletion: true });
    }
  }

  #finish(namespace: string, job: RunningJob): void {
    const { cluster, kubelet } = this.#options;
    const pods = kubelet.podsOf(job.uid);
    if (pods.some((pod) => pod.stage !== 'ready')) {
      return;
    }
    for (const pod of pods) {
      kubelet.finish(pod);
    }
    job.finished = true;
    // Age counts from here on towards its deletion.
    job.age = RUN_STEPS;
    const previous = cluster.get('jobs.batch', namespace, job.name);
    if (previous !== undefined) {
      cluster.update('jobs.batch', this.#job(job.name, true));
    }
  }

  #delete(namespace: string, job: RunningJob): void {
    for (const pod of this.#options.kubelet.podsOf(job.uid)) {
      this.#options.kubelet.terminate(pod);
    }
    this.#options.cluster.delete('jobs.batch', namespace, job.name);
    this.#jobs.splice(this.#jobs.indexOf(job), 1);
  }

  #job(name: string, finished: boolean): KubernetesObject {
    const { namespace, template, replicas } = this.workload;
    const done = toTimestamp(this.#options.now());
    return {
      metadata: {
        name,
        namespace,
        labels: template.labels,
        ...(this.#owner === undefined ? {} : { ownerReferences: [this.#owner] }),
      },
      spec: { parallelism: replicas, completions: replicas, template: { metadata: { labels: template.labels } } },
      status: finished
        ? { succeeded: replicas, completionTime: done, conditions: [{ type: 'Complete', status: 'True' }] }
        : { active: replicas },
    };
  }

  #cronJob(): KubernetesObject {
    const { namespace, name, template } = this.workload;
    return {
      metadata: { name, namespace, labels: template.labels },
      spec: { schedule: '* * * * *', concurrencyPolicy: 'Allow', jobTemplate: { spec: { template: {} } } },
      status: {},
    };
  }
}

/** In steps, one a second: runs for 12, is kept for 30, comes again every 40. */
const RUN_STEPS = 12;
const KEEP_STEPS = 30;
const PAUSE_STEPS = 40;
