"""Makes the folders beside this file, and the JSON that they are made from.

Made with: python 3.11, pip install deepgnn-ge==0.1.66 "numpy<2" (1.26.4)
Use:       python make.py FOLDER, then delete the tables of the edge samplers (edge_*.alias), which no test reads
"""
import json
import os
import shutil
import sys

from deepgnn.graph_engine.snark import convert, decoders

here = sys.argv[1]
TEMPORAL = [
 {"node_id": 9, "node_type": 0, "node_weight": 1.0, "created_at": 0,
  "float_feature": {"0": [{"values": [123, 64, 12], "created_at": 13}, {"values": [13, 14], "created_at": 20}, {"values": [], "created_at": 30}]},
  "uint64_feature": {"2": [13, 17]}, "binary_feature": {"3": "abcd"},
  "edge": [{"src_id": 9, "dst_id": 0, "edge_type": 0, "weight": 0.5, "created_at": 1, "removed_at": 5, "uint64_feature": {"1": [3, 4]}},
           {"src_id": 9, "dst_id": 0, "edge_type": 0, "weight": 0.25, "created_at": 7}]},
 {"node_id": 0, "node_type": 1, "node_weight": 0.3,
  "int16_feature": {"4": [-1, 300]}, "float16_feature": {"5": [0.5]},
  "edge": [{"src_id": 0, "dst_id": 5, "edge_type": 1, "weight": 1, "created_at": 1, "removed_at": 5,
            "sparse_int32_feature": {"0": {"coordinates": [[5, 13], [7, 25]], "values": [-1, 1024]}}}]},
 {"node_id": 5, "node_type": 2, "node_weight": 0.7, "edge": [{"src_id": 5, "dst_id": 9, "edge_type": 1, "weight": 0.7}]},
]
STATIC = [
 {"node_id": 9, "node_type": 0, "node_weight": 1,
  "sparse_int16_feature": {"1": {"coordinates": [5, 13], "values": [1, 2]}, "2": {"coordinates": [4, 13, 1], "values": [7]}},
  "double_feature": {"0": [0.1, -2.5]}, "edge": [{"src_id": 9, "dst_id": 4, "edge_type": 0, "weight": 0.5, "int8_feature": {"0": [-7]}}]},
 {"node_id": 4, "node_type": 1, "node_weight": 2, "edge": []},
]
WEIGHTS = [{"node_id": n, "node_type": n % 2, "node_weight": w, "edge": []}
           for n, w in enumerate([0.1, 1.0, 0.25, 1.0, 3.0, 1.0, 0.001, 1.0, 123.456, 1.0, 0.7, 1.0])]
def write(name, nodes, parts, **options):
    folder = os.path.join(here, name)
    shutil.rmtree(folder, ignore_errors=True); os.makedirs(folder)
    text = os.path.join(here, name + ".jsonl")
    with open(text, "w") as out:
        for node in nodes: out.write(json.dumps(node) + "\n")
    convert.MultiWorkersConverter(graph_path=text, partition_count=parts, output_dir=folder, decoder=decoders.JsonDecoder(), skip_edge_sampler=False, **options).convert()
write("temporal", TEMPORAL, 2, watermark=30)
write("static", STATIC, 1)
write("weights", WEIGHTS, 1)
