// What a cluster test needs beside its subject: a control plane with nodes, digger with the rights of deploy/base, a
// reader of the API's lists, and one place that ends them all.
import { createServiceAccountKubeconfig } from './service-account.ts';
import { type ClusterLists, createListReader } from '../observers/cluster-lists.ts';
import { ControlPlane, type ControlPlaneOptions } from './control-plane.ts';
import { DiggerProcess } from '../observers/digger-process.ts';
import { Kubelet } from './kubelet.ts';
import { TcpProxy } from './tcp-proxy.ts';

/** How to set it. */
export type SceneOptions = ControlPlaneOptions & {
  /** Put a TCP proxy between digger and the API server. */
  readonly proxied?: boolean;
};

/** See the head of the file. */
export class Scene implements AsyncDisposable {
  readonly plane: ControlPlane;
  readonly kubelet: Kubelet;
  /** Between digger and the API server, where one was asked for. */
  readonly proxy: TcpProxy | undefined;
  /** What digger is started with. */
  readonly kubeconfig: string;
  readonly readLists: () => Promise<ClusterLists>;
  readonly #diggers: DiggerProcess[] = [];

  private constructor(plane: ControlPlane, kubelet: Kubelet, proxy: TcpProxy | undefined, kubeconfig: string) {
    this.plane = plane;
    this.kubelet = kubelet;
    this.proxy = proxy;
    this.kubeconfig = kubeconfig;
    this.readLists = createListReader(plane.adminKubeconfig);
  }

  /** A control plane with three nodes; the kubelet is started. */
  static async set(options: SceneOptions = {}): Promise<Scene> {
    const plane = await ControlPlane.start(options);
    try {
      const kubelet = new Kubelet(plane.client);
      await kubelet.createNodes();
      const proxy = options.proxied ? await TcpProxy.start(Number(new URL(plane.url).port)) : undefined;
      const kubeconfig = await createServiceAccountKubeconfig(plane, proxy && `https://127.0.0.1:${proxy.port}`);
      kubelet.start();
      return new Scene(plane, kubelet, proxy, kubeconfig);
    } catch (error) {
      await plane.stop();
      throw error;
    }
  }

  /** Starts a digger; it is ended with the scene. */
  async startDigger(args: readonly string[] = [], kubeconfig = this.kubeconfig): Promise<DiggerProcess> {
    const digger = await DiggerProcess.start(kubeconfig, args);
    this.#diggers.push(digger);
    return digger;
  }

  /** Ends everything, whatever fails on the way. */
  async strike(): Promise<void> {
    const ends = [
      ...this.#diggers.map((digger) => digger.stop()),
      this.kubelet.stop(),
      ...(this.proxy ? [this.proxy.stop()] : []),
    ];
    const failed = (await Promise.allSettled(ends)).find((end) => end.status === 'rejected');
    await this.plane.stop();
    if (failed) throw failed.reason;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.strike();
  }
}
