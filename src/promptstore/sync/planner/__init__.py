"""The planner: what B, L and R of each prompt call for. Pure: values in, values out; contents first, then tags."""
