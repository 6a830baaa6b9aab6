#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the suites and ends with the gate's verdict. See --help.
set -euo pipefail
# shellcheck source=scripts/bootstrap.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/scripts/bootstrap.sh"

usage() {
  cat <<'TXT'
Usage: ./run.sh [options] [arguments of robot]

Runs the suites on an embedded cluster that is started for this run, or on yours with --kubeconfig or --in-cluster.

Your own cluster:
  --kubeconfig FILE   run against this cluster and start none
  --context NAME      a context of that file other than its current one
  --in-cluster        run against the cluster of this pod by its service account, and start none
  --profile NAME      take the values of variables/profiles/NAME.yaml, where yours say nothing else; on your own cluster
                      a profile, or values that say where its networks are, must be given
  --delete-leftovers  run no suite: remove what aborted runs left on this cluster, and put its settings back
  --dry-run           with --delete-leftovers: only say what would be removed
  --preflight         run no suite: judge whether the cluster is fit for what is selected, and which scenarios it lets run

The embedded cluster:
  --kubevirt VERSION  behave like this version of KubeVirt (1.7, 1.8, 1.8-gate, 1.9, main)
  --platform NAME     be plain Kubernetes (kubernetes) or OpenShift (openshift)
  --nodes N           number of nodes, 2 if not given
  --speed N           shorten the cluster's own delays N times instead of 5
  --dynamic-networks-controller
                      with Multus' controller that plugs NICs into running pods
  --lazy-guests       start a guest when something looks into it or sends it a frame: for hundreds of VMs
  --defect NAME       inject a defect; may be repeated. A list: .venv/bin/python -m emulator defects

Both:
  --install           install what this machine lacks, if you are root (Debian's packages of ip, ping and venv)
  --processes N       number of suites in parallel, 1 if not given; they share the cluster

Everything else goes to robot, for example:
  ./run.sh --include p0
  ./run.sh --include nad-01 --variable "SWAP_TIMEOUT:2 min" --loglevel DEBUG

Results lie in results/<time>/, the last run's also in results/latest.
Exit codes: 0 all that was selected passed (PASS with all of P0, else PARTIAL, which is no sign-off); 1 the product failed;
2 nothing is said of the product: a suite misused a keyword (TEST ERROR) or the lab failed (LAB ERROR); 3 not proven: P0
or another test was skipped without a reason that the test plan accepts, or did not run; 64 wrong usage or a wrong value,
and nothing was begun; 70 the embedded cluster broke; 130 interrupted.
TXT
}

usage_error() {
  printf 'error: %s\n' "$*" >&2
  exit 64
}

kubeconfig='' context='' in_cluster='' leftovers=() processes=1 profiles=() preflight='' defects=() speed='' cluster_options=() robot_arguments=()
while (($#)); do
  option=$1
  shift
  case $option in
    --help | -h) usage; exit 0 ;;
    --in-cluster) in_cluster=yes ;;
    --install) INSTALL=yes ;;
    --preflight) preflight=yes ;;
    --dynamic-networks-controller | --lazy-guests) cluster_options+=("$option") ;;
    --delete-leftovers | --dry-run) leftovers+=("$option") ;;
    --processes=* | --profile=* | --kubeconfig=* | --context=* | --kubevirt=* | --platform=* | --nodes=* | --speed=* | --defect=*)
      set -- "${option%%=*}" "${option#*=}" "$@"
      continue
      ;;
    --processes | --profile | --kubeconfig | --context | --kubevirt | --platform | --nodes | --speed | --defect)
      (($#)) && [[ -n $1 ]] || usage_error "$option needs a value"
      value=$1
      shift
      case $option in
        --processes)
          [[ $value =~ ^[1-9][0-9]?$ ]] || usage_error "--processes is \"$value\"; expected a number from 1 to 99"
          processes=$value
          ;;
        --profile) profiles+=("$option" "$value") ;;
        --kubeconfig) kubeconfig=$value ;;
        --context) context=$value ;;
        --defect)
          cluster_options+=("$option" "$value")
          defects+=("$option" "$value")
          ;;
        --speed)
          cluster_options+=("$option" "$value")
          speed=$value
          ;;
        *) cluster_options+=("$option" "$value") ;;
      esac
      ;;
    *) robot_arguments+=("$option") ;;
  esac
done

[[ -z $in_cluster || -z $kubeconfig ]] || usage_error "--in-cluster and --kubeconfig exclude each other"
if [[ -n $kubeconfig || -n $in_cluster ]]; then
  [[ -z $context || -n $kubeconfig ]] || usage_error "--context names a context of the file given with --kubeconfig"
  ((${#cluster_options[@]} == 0)) || usage_error "${cluster_options[0]} is for the embedded cluster, --kubeconfig for yours"
  set_of_requirements=cluster
elif [[ -n $context ]]; then
  usage_error "--context names a context of the file given with --kubeconfig"
else
  set_of_requirements=embedded
fi

if ((${#leftovers[@]})); then
  [[ " ${leftovers[*]} " == *" --delete-leftovers "* ]] || usage_error "--dry-run goes with --delete-leftovers"
  [[ -n $kubeconfig || -n $in_cluster ]] ||
    usage_error "--delete-leftovers needs --kubeconfig or --in-cluster: an embedded cluster ends with its run"
  bootstrap cluster
  clean=("$PYTHON" "$ROOT/scripts/delete_leftovers.py")
  if [[ -n $in_cluster ]]; then
    unset KUBECONFIG
  else
    clean+=(--kubeconfig "$kubeconfig" --context "$context")
  fi
  [[ " ${leftovers[*]} " != *" --dry-run "* ]] || clean+=(--dry-run)
  exec "${clean[@]}" ${profiles[@]+"${profiles[@]}"} -- ${robot_arguments[@]+"${robot_arguments[@]}"}
fi

embedded=''
if [[ $set_of_requirements == embedded ]]; then
  # The times of its profile are for the default speed.
  [[ -n $speed ]] || profiles+=(--profile embedded)
  [[ " ${robot_arguments[*]-} " == *" --dryrun "* ]] || embedded=yes
fi
[[ -n $embedded ]] || set_of_requirements=cluster
bootstrap "$set_of_requirements"
run=("$PYTHON" "$ROOT/scripts/run_suites.py" --state "$STATE_DIR")
((processes == 1)) || run+=(--processes "$processes")
[[ -z $preflight ]] || run+=(--preflight)
if [[ -n $in_cluster ]]; then
  # A kubeconfig of the environment would be preferred to the pod's service account.
  unset KUBECONFIG
  run+=(--own-cluster)
elif [[ -n $kubeconfig ]]; then
  run+=(--kubeconfig "$kubeconfig" --context "$context" --own-cluster)
elif [[ -n $embedded ]]; then
  # What is wrong is told before the cluster is started.
  "$PYTHON" "$ROOT/scripts/command_line.py" ${profiles[@]+"${profiles[@]}"} -- ${robot_arguments[@]+"${robot_arguments[@]}"} ||
    exit $(($? == 64 ? 64 : EXIT_LAB))
  export PYTHONPATH=$ROOT${PYTHONPATH:+:$PYTHONPATH}
  run=("$PYTHON" -m emulator exec ${cluster_options[@]+"${cluster_options[@]}"} -- "${run[@]}" --embedded ${defects[@]+"${defects[@]}"})
fi
exec "${run[@]}" ${profiles[@]+"${profiles[@]}"} -- ${robot_arguments[@]+"${robot_arguments[@]}"}
