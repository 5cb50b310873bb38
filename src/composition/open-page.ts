// The page of the admin listener, with what it shows of the state of this process.

import type { AddressBook } from '../addresses/address-book.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { ChangeFeed } from '../feed/change-feed.ts';
import type { Freshness } from '../health/freshness.ts';
import { Page } from '../page/page.ts';
import { RecentChanges } from '../page/recent-changes.ts';
import type { Readiness } from '../health/readiness.ts';
import type { StatusSource } from '../rpc/methods/get-status.ts';
import { publishedOnly } from '../catalog/visible-changes.ts';

export interface PageParts {
  readonly catalog: Catalog;
  readonly addresses: AddressBook;
  readonly feed: ChangeFeed;
  readonly freshness: Freshness;
  readonly readiness: Readiness;
  readonly status: StatusSource;
}

export function openPage({ catalog, addresses, feed, freshness, readiness, status }: PageParts): Page {
  const changes = new RecentChanges();
  catalog.onBatch(status.published.areLimited ? publishedOnly(changes.onBatch) : changes.onBatch);
  const state = (): object => {
    const ages = new Map(freshness.resources().map(({ resource, stalenessMs }) => [resource, stalenessMs]));
    return {
      version: status.version,
      ready: readiness.isReady,
      pending: readiness.pending,
      stalenessMs: freshness.stalenessMs(),
      resources: status.resources().map(({ resource, required, synced, state: watching, objects, message }) => ({
        ...{ resource, required, synced, state: watching, objects, message },
        stalenessMs: ages.get(resource),
      })),
      feed: { ...feed.stats(), furthestBehind: feed.furthestBehind(MAX_SHOWN_SUBSCRIBERS) },
    };
  };
  return new Page({ catalog, addresses, changes, state, isReady: () => readiness.isReady, nowMs: Date.now });
}

/** On the page: those that are furthest behind. */
const MAX_SHOWN_SUBSCRIBERS = 20;
