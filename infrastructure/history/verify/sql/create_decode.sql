create materialized view ${scratch}.decode to ${scratch}.decoded as ${decode} from ${scratch}.input
