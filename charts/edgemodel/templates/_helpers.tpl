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

{{/* The annotations of an object, below its metadata; of the list of root and the object's own. */}}
{{- define "edgemodel.annotations" -}}
{{- $root := index . 0 }}
{{- with merge (dict) (index . 1) $root.Values.commonAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
{{- end }}
{{- end }}

{{- define "edgemodel.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ .Values.serviceAccount.name | default (include "edgemodel.name" .) }}
{{- else -}}
{{ required "serviceAccount.name: name the account that is there, or set serviceAccount.create to true" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* An image as containers name it; of the list of root and image. */}}
{{- define "edgemodel.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- with $root.Values.imageRegistry }}{{ trimSuffix "/" . }}/{{ end }}
{{- $image.repository }}:{{ $image.tag | default $root.Chart.AppVersion }}
{{- with $image.digest }}@{{ . }}{{ end }}
{{- end }}

{{/* The end of the names of what is of the whole cluster: there is one installation in a namespace. */}}
{{- define "edgemodel.scope" -}}
{{- if .Values.watchNamespaces }}-{{ .Release.Namespace }}{{ end }}
{{- end }}

{{/* The arguments that operator and `verify` share. */}}
{{- define "edgemodel.served" -}}
{{- with .Values.watchNamespaces }}
- --namespace={{ join "," . }}
{{- end }}
{{- if not .Values.leaderElection.enabled }}
- --no-leader-election
{{- end }}
{{- end }}

{{/* Where pods of the operator's image may run, and as whom. */}}
{{- define "edgemodel.pod" -}}
serviceAccountName: {{ include "edgemodel.serviceAccount" . }}
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
{{- range . }}
- name: {{ . }}
{{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The operator's variables. */}}
{{- define "edgemodel.env" -}}
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: POD_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: EDGEMODEL_LOG
  value: {{ .Values.log | quote }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* What the schema cannot say. */}}
{{- define "edgemodel.check" -}}
{{- if and (gt (int .Values.replicas) 1) (not .Values.leaderElection.enabled) }}
{{- fail (printf "replicas: %d operators without an election would all write; set leaderElection.enabled to true, or replicas to 1" (int .Values.replicas)) }}
{{- end }}
{{- range $name, $image := dict "image" .Values.image "workerImage" .Values.workerImage }}
{{- $first := splitList "/" $image.repository | first }}
{{- if and $.Values.imageRegistry (contains "/" $image.repository) (or (contains "." $first) (contains ":" $first) (eq $first "localhost")) }}
{{- fail (printf "%s.repository: %q names a registry, and imageRegistry is %q; leave the registry out of %s.repository, or imageRegistry empty" $name $image.repository $.Values.imageRegistry $name) }}
{{- end }}
{{- end }}
{{- range .Values.extraArgs }}
{{- $option := splitList "=" . | first }}
{{- with get (dict "--worker-image" "workerImage" "--resync" "resync" "--concurrency" "concurrency" "--namespace" "watchNamespaces" "--no-leader-election" "leaderElection.enabled") $option }}
{{- fail (printf "extraArgs: %s is set by the chart; set %s instead" $option .) }}
{{- end }}
{{- end }}
{{- $variables := dict "POD_NAME" "" "POD_NAMESPACE" "" "EDGEMODEL_LOG" "log" "EDGEMODEL_NAMESPACE" "watchNamespaces" "EDGEMODEL_WORKER_IMAGE" "workerImage" }}
{{- range $index, $variable := .Values.extraEnv }}
{{- if hasKey $variables .name }}
{{- with get $variables .name }}
{{- fail (printf "extraEnv[%d].name: the chart sets %s; set %s instead" $index $variable.name .) }}
{{- end }}
{{- fail (printf "extraEnv[%d].name: %s is set already; remove it" $index .name) }}
{{- end }}
{{- $_ := set $variables .name "" }}
{{- if eq (hasKey . "value") (hasKey . "valueFrom") }}
{{- fail (printf "extraEnv[%d] (%s): %s value and valueFrom; keep exactly one" $index .name (ternary "has both" "has neither" (hasKey . "value"))) }}
{{- end }}
{{- end }}
{{- $volumes := list }}
{{- range $index, $volume := .Values.extraVolumes }}
{{- if has .name $volumes }}
{{- fail (printf "extraVolumes[%d].name: %q is there twice; rename one" $index .name) }}
{{- end }}
{{- $volumes = append $volumes .name }}
{{- end }}
{{- range $index, $mount := .Values.extraVolumeMounts }}
{{- if not (has .name $volumes) }}
{{- fail (printf "extraVolumeMounts[%d].name: no volume %q; add it to extraVolumes" $index .name) }}
{{- end }}
{{- end }}
{{- with .Values.admissionPolicy }}
{{- if and .enabled (not (or .denyHostAccess .allowedModelHosts .requireSha256 .requireSecretAccess .allowedImages)) }}
{{- fail "admissionPolicy.enabled: the policy has nothing to check; list hosts in admissionPolicy.allowedModelHosts, or set admissionPolicy.requireSha256 or admissionPolicy.requireSecretAccess to true" }}
{{- end }}
{{- end }}
{{- end }}
