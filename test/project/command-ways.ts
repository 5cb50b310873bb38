// What becomes of the commands that the documents show, where they are not simply run beside a demo.
//
// A command stands here as the document has it. Those that another test runs name that test and words of it; those that
// no test can run say why. An entry for a command that no document shows any more is a failure, as is a command without
// a way.

/** Another test or CI step that runs the command: the file, and words that it has. */
export const RUN_ELSEWHERE: Readonly<Record<string, readonly [file: string, words: string]>> = {
  'npm ci': ['.ci/run', "part 'npm ci' 5m npm ci"],
  'npm ci && npm test': ['.ci/run', "part 'npm test' 16m npm test"],
  'npm run go:module': ['.ci/go', 'go run ./pack'],
  'go get digger.example/go/replica@v0.2.0': ['.ci/go', 'go get "digger.example/go/replica@'],
  'export GOPROXY=file://$PWD/release/go,https://proxy.golang.org GONOSUMDB=digger.example': [
    '.ci/go',
    'GONOSUMDB=digger.example GOPROXY="file://$place/one',
  ],
  'cd src/go && go test -tags checkout ./replica -run TypeScript -args -seed 1 -worlds 1000 -questions 100': [
    '.ci/go',
    "go test -tags checkout ./replica -count=1 -v -run 'TypeScript|Demo' -args -seed",
  ],
  'cd deploy/overlays/production && kustomize edit set image digger=registry.example/digger:0.2.0': [
    'test/cluster/documented-commands.test.ts',
    'kustomize edit set image',
  ],
  'helm install digger deploy/helm/digger --namespace digger --create-namespace --set image.repository=registry.example/digger':
    ['test/cluster/documented-commands.test.ts', "startsWith('helm install')"],
  'helm install digger deploy/helm/digger --set insecure=true,tls.enabled=false,auth.mode=none,highAvailability.enabled=false,replicas=1':
    ['test/cluster/documented-commands.test.ts', "startsWith('helm install')"],
};

const NO_KUBECTL =
  'needs kubectl, which comes with a cluster and not with this repository; the cluster tests send the same objects to a ' +
  'real API server';

/** Commands that no test runs, and why. */
export const NOT_RUN: Readonly<Record<string, string>> = {
  'npm run comparison -- --seed 7':
    'needs Go, a control plane and a quarter of an hour; comparison.test.ts holds the document to what is compared',
  'docker build -t registry.example/digger:0.2.0 . && docker push registry.example/digger:0.2.0':
    'needs Docker and a registry; test/long/image-steps.test.ts does the steps of the Dockerfile by hand',
  "npx node test/vectors/record.ts 127.0.0.1:50051 40 80 'Recorded from the demo.' > test/vectors/NN-name.json":
    'follows a demo for 40 s and writes a file beside the sources',
  'npx biome format --write test/vectors': 'formats what the line before it has written',
  'kubectl create namespace digger': NO_KUBECTL,
  'kubectl -n digger create secret tls digger-tls --cert=tls.crt --key=tls.key': NO_KUBECTL,
  'kubectl apply -k deploy/overlays/production': NO_KUBECTL,
  'kubectl label namespace traffic digger/grpc=allowed': NO_KUBECTL,
  'kubectl label namespace monitoring digger/metrics=allowed': NO_KUBECTL,
  'kubectl create clusterrolebinding traffic-lookup --clusterrole=digger-lookup --serviceaccount=traffic:sensor':
    NO_KUBECTL,
  'kubectl auth can-i post /digger.v1.LookupService/ResolveAddress --as=system:serviceaccount:traffic:sensor':
    NO_KUBECTL,
};
