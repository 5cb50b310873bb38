// A plain JSON client of the API server, for tests that arrange a cluster: create, apply, patch, delete, raw requests.
//
// It shares nothing with digger's own client. It knows no kinds: paths come from the server's discovery. Warnings are
// returned, because a manifest that applies with a warning is not accepted by us. Any status over 299 is an `ApiError`.
import { Agent, request } from 'undici';

/** An object as the API server writes it. */
export type KubeObject = {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly [key: string]: unknown;
  };
  readonly [key: string]: unknown;
};

/** An answer of the API server that is not a success. */
export class ApiError extends Error {
  readonly status: number;
  readonly reason: string;

  constructor(method: string, path: string, status: number, body: string) {
    let reason = '';
    let message = body;
    if (body.startsWith('{')) {
      const parsed = JSON.parse(body) as { reason?: string; message?: string };
      reason = parsed.reason ?? '';
      message = parsed.message ?? body;
    }
    super(`${method} ${path}: ${status} ${reason} ${message.slice(0, 2_000)}`);
    this.status = status;
    this.reason = reason;
  }
}

/** A response body and the `Warning` headers that came with it. */
export type Answer<T> = { readonly body: T; readonly warnings: readonly string[] };

type RequestOptions = { readonly body?: unknown; readonly contentType?: string; readonly accept?: string };
type Discovered = { readonly plural: string; readonly namespaced: boolean };

/** The name that the tests apply under; field managers show up in managedFields. */
const FIELD_MANAGER = 'digger-cluster-test';

/** See the head of the file. */
export class ApiClient {
  readonly url: string;
  readonly #token: string;
  readonly #agent: Agent;
  readonly #discovered = new Map<string, Promise<ReadonlyMap<string, Discovered>>>();

  /** `ca` is PEM text. */
  constructor(options: { readonly url: string; readonly ca: string; readonly token: string }) {
    this.url = options.url;
    this.#token = options.token;
    this.#agent = new Agent({ connect: { ca: options.ca } });
  }

  /** Closes the connections. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  /** Any request; the body as text. */
  async raw(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    options: RequestOptions = {},
  ): Promise<Answer<string>> {
    const response = await request(this.url + path, {
      method,
      dispatcher: this.#agent,
      headers: {
        authorization: `Bearer ${this.#token}`,
        accept: options.accept ?? 'application/json',
        ...(options.body === undefined ? {} : { 'content-type': options.contentType ?? 'application/json' }),
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    });
    const body = await response.body.text();
    if (response.statusCode > 299) throw new ApiError(method, path, response.statusCode, body);
    const header = response.headers['warning'];
    return { body, warnings: header === undefined ? [] : Array.isArray(header) ? header : [header] };
  }

  /** Reads JSON. */
  async get<T = KubeObject>(path: string): Promise<T> {
    return JSON.parse((await this.raw('GET', path)).body) as T;
  }

  /** The items of a list, without paging. */
  async list<T = KubeObject>(path: string): Promise<readonly T[]> {
    return (await this.get<{ items?: readonly T[] }>(path)).items ?? [];
  }

  /** Creates an object. */
  async create(object: KubeObject): Promise<KubeObject> {
    const { collection } = await this.#paths(object);
    return JSON.parse((await this.raw('POST', collection, { body: object })).body) as KubeObject;
  }

  /** Server-side apply; a field that the server does not know is an error, not a warning. */
  async apply(object: KubeObject): Promise<Answer<KubeObject>> {
    const { collection } = await this.#paths(object);
    const path = `${collection}/${object.metadata.name}?fieldManager=${FIELD_MANAGER}&force=true&fieldValidation=Strict`;
    // JSON is YAML.
    const answer = await this.raw('PATCH', path, { body: object, contentType: 'application/apply-patch+yaml' });
    return { body: JSON.parse(answer.body) as KubeObject, warnings: answer.warnings };
  }

  /** A merge patch of the object, or of its status. */
  async patch(object: KubeObject, patch: unknown, subresource = ''): Promise<KubeObject> {
    const path = (await this.path(object)) + (subresource && `/${subresource}`);
    const answer = await this.raw('PATCH', path, { body: patch, contentType: 'application/merge-patch+json' });
    return JSON.parse(answer.body) as KubeObject;
  }

  /** Deletes the object, this very one if it carries a uid; whether there was one. */
  async delete(
    object: KubeObject,
    options: { readonly graceSeconds?: number; readonly propagation?: string } = {},
  ): Promise<boolean> {
    const body = {
      ...(options.graceSeconds === undefined ? {} : { gracePeriodSeconds: options.graceSeconds }),
      ...(options.propagation === undefined ? {} : { propagationPolicy: options.propagation }),
      ...(object.metadata.uid === undefined ? {} : { preconditions: { uid: object.metadata.uid } }),
    };
    try {
      await this.raw('DELETE', await this.path(object), { body });
      return true;
    } catch (error) {
      if (error instanceof ApiError && (error.status === 404 || error.status === 409)) return false;
      throw error;
    }
  }

  /** The path of an object. */
  async path(object: KubeObject): Promise<string> {
    return `${(await this.#paths(object)).collection}/${object.metadata.name}`;
  }

  async #paths(object: KubeObject): Promise<{ readonly collection: string }> {
    const { apiVersion, kind } = object;
    if (!apiVersion || !kind) throw new Error(`object ${object.metadata.name} lacks apiVersion or kind`);
    const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    let found = (await this.#discover(root)).get(kind);
    if (!found) {
      // A custom kind may have been defined since.
      this.#discovered.delete(root);
      found = (await this.#discover(root)).get(kind);
    }
    if (!found) throw new Error(`the API server does not serve ${apiVersion} ${kind}`);
    const namespace = found.namespaced ? `/namespaces/${object.metadata.namespace ?? 'default'}` : '';
    return { collection: `${root}${namespace}/${found.plural}` };
  }

  #discover(root: string): Promise<ReadonlyMap<string, Discovered>> {
    let found = this.#discovered.get(root);
    if (!found) {
      found = this.get<{ resources: readonly { name: string; kind: string; namespaced: boolean }[] }>(root).then(
        ({ resources }) =>
          new Map(
            resources
              .filter((resource) => !resource.name.includes('/'))
              .map((resource) => [resource.kind, { plural: resource.name, namespaced: resource.namespaced }]),
          ),
      );
      this.#discovered.set(root, found);
      found.catch(() => this.#discovered.delete(root));
    }
    return found;
  }
}
