// Package replica keeps a copy of digger's picture of a Kubernetes cluster in the process that needs the answers: who
// held an address, when, and by which workload. It follows one subscription of ChangeFeedService.Watch and answers from
// memory, without a call for each packet, as the server would.
//
//	r, err := replica.Connect(ctx, replica.Options{Targets: []string{"dns:///digger-headless.digger.svc:50051"}})
//	if err != nil { … }
//	defer r.Close()
//	if err := r.Ready(ctx); err != nil { … }
//	answer, err := r.Resolve(replica.Query{Address: addr, Port: 443, Protocol: replica.TCP, At: packetTime})
//
// What it promises:
//   - The answer is the server's: the rules of reading are those of proto/digger/v1/timeline.proto, and the vectors in
//     test/vectors hold for server and replica alike.
//   - A question never blocks, takes no lock and, when one object answers it, allocates nothing. Every question sees the
//     picture between two frames, never half of one.
//   - It never says that an address belongs to no object because it does not know yet: before the first picture is
//     complete Resolve fails with ErrNotReady; cut off from every server, answers become uncertain or UNKNOWN as those of
//     a server do whose watches are down; what did not fit the limits is told.
//   - What it keeps is bounded by Limits.
package replica
