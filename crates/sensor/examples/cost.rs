//! Runs a command and prints what the sensor's programs cost meanwhile, by the kernel's own measure.
#![allow(clippy::print_stdout, reason = "that is what it is for")]

use sensor::{Sensor, SensorOptions};
use std::process::Command;
use std::time::Duration;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let program = words.next().ok_or("usage: cost COMMAND [ARGUMENT…]")?;
    let mut sensor = Sensor::start(SensorOptions::default())?;
    sensor.measure()?;
    let mut child = Command::new(program).args(words).spawn()?;
    let mut events = 0;
    while child.try_wait()?.is_none() {
        events += sensor.poll(Duration::from_millis(100), &mut drop)?;
    }
    for program in sensor.stats()? {
        let each = program.run_time_ns / program.run_count.max(1);
        println!("{:14} {:8} runs, {each:6} ns each", program.name, program.run_count);
    }
    println!("{events} events, {} lost", sensor.lost()?);
    Ok(())
}
