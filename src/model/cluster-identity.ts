// Which cluster it is: the name that its operators gave it, and the uid of its namespace kube-system, which is there as
// long as the cluster is and in no other. Either may be unknown, which is an empty text.

export interface ClusterIdentity {
  readonly name: string;
  readonly uid: string;
}

export const UNKNOWN_CLUSTER: ClusterIdentity = Object.freeze({ name: '', uid: '' });

/** Whether two identities surely are not of one cluster. The uid decides where both are known, else the name. */
export function isOtherCluster(a: ClusterIdentity, b: ClusterIdentity): boolean {
  if (a.uid !== '' && b.uid !== '') return a.uid !== b.uid;
  return a.name !== '' && b.name !== '' && a.name !== b.name;
}
