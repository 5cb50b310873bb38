// `digger.v1.HandedOwner`: an owner that is gone, written and read.
//
// What is read is checked as far as a chain of owners could break by it: a name is one, and a uid is there. API servers
// do not check what a reference to an owner says, so one that is not usable is left out: a tenant who writes it must
// not keep the history from those who start.

import type { ControllerReference, FormerOwner } from '../model/kubernetes/records.ts';
import { escapeControls } from '../telemetry/escape-controls.ts';
import type { HandedOwner__Output } from '../wire/generated/digger/v1/HandedOwner.ts';
import { type Fields, moment } from './claim-message.ts';

/** Longer than any name of Kubernetes, and than a group with its version. */
const MAX_CHARACTERS = 512;

export function ownerFields(owner: FormerOwner): Fields {
  const { apiVersion, kind, namespace, name, uid, controller, goneAtMs } = owner;
  return {
    ...{ apiVersion, kind, namespace, name, uid },
    ...(controller === undefined ? {} : { controller: { ...controller } }),
    ...(goneAtMs === undefined ? {} : { goneMs: Math.floor(goneAtMs) }),
  };
}

/** About as many bytes as it takes. */
export function sizeOfOwner({ apiVersion, kind, namespace, name, uid, controller }: FormerOwner): number {
  const own = [apiVersion, kind, namespace, name, uid];
  const above =
    controller === undefined ? [] : [controller.apiVersion, controller.kind, controller.name, controller.uid];
  return [...own, ...above].reduce((bytes, text) => bytes + text.length, 0);
}

/** `undefined`: what it says of itself or of its controller is no name. Throws when it cannot be read. */
export function readOwner({ controller, goneMs, ...owner }: HandedOwner__Output): FormerOwner | undefined {
  const { apiVersion, kind, namespace, name, uid } = owner;
  const goneAtMs = goneMs === undefined ? undefined : moment(goneMs);
  const above = controller ?? undefined;
  if (!isUsable(owner) || (above !== undefined && !isUsable(above)) || !isText(`v${namespace}`)) return undefined;
  return { apiVersion, kind, namespace, name, uid, controller: above && referenceOf(above), goneAtMs };
}

function referenceOf({ apiVersion, kind, name, uid }: ControllerReference): ControllerReference {
  return { apiVersion, kind, name, uid };
}

function isUsable({ apiVersion, kind, name, uid }: ControllerReference): boolean {
  return isText(apiVersion) && isText(kind) && isText(name) && isText(uid);
}

/** Control characters stand for what is hidden. */
function isText(value: string): boolean {
  return value !== '' && value.length <= MAX_CHARACTERS && escapeControls(value) === value;
}
