create materialized view ${scratch}.wide_decode to ${scratch}.wide as ${decode} from ${scratch}.wide_input
