//! Prints what this kernel can do, and how long it took to find out.
#![allow(clippy::print_stdout, reason = "that is what it is for")]

fn main() {
    let began = std::time::Instant::now();
    for found in sensor::probe() {
        let works = if found.works { "yes" } else { "no" };
        println!("{:26} {works:4} {}", found.name, found.detail);
    }
    println!("in {:?}", began.elapsed());
    match sensor::Sensor::start(sensor::SensorOptions::default()) {
        Ok(_) => println!("the sensor starts"),
        Err(error) => println!("{error}"),
    }
}
