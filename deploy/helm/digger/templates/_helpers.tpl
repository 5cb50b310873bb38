{{/*
Names, labels and what several objects need. A release called "digger" has the names of the kustomize base.
*/}}
{{- define "digger.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{/* The name stands for the release too: two releases in one namespace do not share pods. */}}
{{- define "digger.selector" -}}
app.kubernetes.io/name: {{ include "digger.fullname" . }}
app.kubernetes.io/component: server
{{- end }}

{{- define "digger.podLabels" -}}
app.kubernetes.io/name: {{ include "digger.fullname" . }}
app.kubernetes.io/part-of: digger
app.kubernetes.io/component: server
{{- end }}

{{/* Of all objects but the pods, which would be replaced at each new version of the chart. */}}
{{- define "digger.helmLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "digger.labels" -}}
{{ include "digger.podLabels" . }}
{{ include "digger.helmLabels" . }}
{{- end }}

{{- define "digger.accessLabels" -}}
app.kubernetes.io/name: {{ include "digger.fullname" . }}
app.kubernetes.io/part-of: digger
app.kubernetes.io/component: access
{{ include "digger.helmLabels" . }}
{{- end }}

{{/* The rules of a role that deploy/ has written down. */}}
{{- define "digger.rules" -}}
{{- $role := .root.Files.Get .file | fromYaml -}}
rules:
{{ toYaml $role.rules | indent 2 }}
{{- end }}

{{- define "digger.subjects" -}}
subjects:
  - kind: ServiceAccount
    name: {{ include "digger.fullname" . }}
    namespace: {{ .Release.Namespace }}
{{- end }}

{{/* A value of an option as text: lists as digger reads them, numbers without an exponent. */}}
{{- define "digger.optionText" -}}
{{- if kindIs "slice" . -}}
{{- join "," . -}}
{{- else if kindIs "float64" . -}}
{{- printf "%.0f" . -}}
{{- else -}}
{{- toString . -}}
{{- end -}}
{{- end }}

{{/* What the schema cannot say. */}}
{{- define "digger.validate" -}}
{{- if eq .Values.tls.enabled .Values.insecure -}}
{{- fail "choose one transport: tls.enabled=true with the Secret of tls.secretName, or insecure=true with tls.enabled=false behind a mesh that encrypts" -}}
{{- end -}}
{{- if and (eq .Values.auth.mode "client-certificate") (not (and .Values.tls.enabled .Values.tls.clientCa (index .Values.options "allow-client"))) -}}
{{- fail "auth.mode=client-certificate needs tls.enabled, tls.clientCa and options.allow-client" -}}
{{- end -}}
{{- end }}
