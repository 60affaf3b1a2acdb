"""Says of each configuration whether a JSON schema takes it, with the Python world's own validator.

    check_schema.py SCHEMA < CONFIGURATIONS

CONFIGURATIONS are JSON, one on a line. Out comes a line for each: `ok`, or what is wrong first.
"""

import json
import sys

from jsonschema import Draft202012Validator

with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema)
for line in sys.stdin:
    errors = sorted(validator.iter_errors(json.loads(line)), key=lambda error: error.json_path)
    print(f"{errors[0].json_path}: {errors[0].message}" if errors else "ok")
