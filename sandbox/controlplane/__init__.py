"""Clusters with a real control plane: etcd, kube-apiserver and kube-controller-manager as processes on this machine."""
