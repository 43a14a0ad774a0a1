{{/*
Names are fixed: operators of one namespace share one Lease, so there is one installation in a namespace. A second one
fails at once, because the objects belong to the first.
*/}}
{{- define "edgemodel.name" -}}
edgemodel-operator
{{- end }}

{{/* What finds the operator's pods. It never changes: a Deployment's selector cannot. */}}
{{- define "edgemodel.selector" -}}
app.kubernetes.io/name: edgemodel
app.kubernetes.io/component: operator
{{- end }}

{{/* On every object but the pods: these change with each version, and a pod whose labels change is replaced. */}}
{{- define "edgemodel.labels" -}}
{{ include "edgemodel.selector" . }}
app.kubernetes.io/part-of: edgemodel
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "edgemodel.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ .Values.serviceAccount.name | default (include "edgemodel.name" .) }}
{{- else -}}
{{ required "serviceAccount.name: name the account that is there, or set serviceAccount.create to true" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* An image as containers name it; of the dictionary of image and default tag. */}}
{{- define "edgemodel.image" -}}
{{- $image := .image -}}
{{- $image.repository }}:{{ $image.tag | default .tag }}
{{- with $image.digest }}@{{ . }}{{ end }}
{{- end }}

{{/* The end of the names of what is of the whole cluster. */}}
{{- define "edgemodel.scope" -}}
{{- with .Values.watchNamespace }}-{{ . }}{{ end }}
{{- end }}

{{/* What the schema cannot say. */}}
{{- define "edgemodel.check" -}}
{{- if and (gt (int .Values.replicas) 1) (not .Values.leaderElection.enabled) }}
{{- fail (printf "replicas: %d operators without an election would all write; set leaderElection.enabled to true, or replicas to 1" (int .Values.replicas)) }}
{{- end }}
{{- with .Values.admissionPolicy }}
{{- if and .enabled (not .allowedModelHosts) (not .requireSha256) }}
{{- fail "admissionPolicy.enabled: the policy has nothing to check; list hosts in admissionPolicy.allowedModelHosts, or set admissionPolicy.requireSha256 to true" }}
{{- end }}
{{- end }}
{{- end }}
