-- Argo CD's health of an EdgeModelRuntime, from its conditions as kstatus reads them. docs/gitops.md says how to install it.
local function condition(kind)
  for _, one in ipairs((obj.status or {}).conditions or {}) do
    if one.type == kind then
      return one
    end
  end
  return {}
end

local ready, stalled, reconciling = condition("Ready"), condition("Stalled"), condition("Reconciling")
local warning = condition("Warning")

-- The operator has not seen this spec yet; -1 is the status of a new object.
if obj.status == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return { status = "Progressing", message = "the operator has not seen this spec yet" }
end
if reconciling.reason == "Paused" then
  return { status = "Suspended", message = reconciling.message }
end
-- One model may serve while another needs a person.
if stalled.status == "True" then
  return { status = "Degraded", message = stalled.message }
end
if ready.status == "True" then
  local message = ready.message
  if warning.status == "True" then
    message = warning.message
  end
  return { status = "Healthy", message = message }
end
return { status = "Progressing", message = ready.message }
