package main

import (
	"context"
	"fmt"
	"net/netip"

	"digger.example/go/replica"
)

func main() {
	ctx := context.Background()
	r, err := replica.Connect(ctx, replica.Options{Targets: []string{"127.0.0.1:50051"}})
	if err != nil {
		panic(err)
	}
	defer r.Close()
	if err := r.Ready(ctx); err != nil {
		panic(err)
	}
	answer, err := r.Resolve(replica.Query{Address: netip.MustParseAddr("10.96.0.10"), Port: 53, Protocol: replica.UDP})
	fmt.Println(answer.Outcome, answer.Holder.Name(), err)
}
